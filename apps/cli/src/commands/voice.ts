import { type Command, Option } from "commander";
import { addVoiceFile, exportVoiceFile, listVoices } from "../speech/voice.ts";

/** `longwave voice`: who can speak, and under which licence. */
export function registerVoice(program: Command): void {
  const voice = program.command("voice").description("list, add and make voices");

  voice
    .command("list")
    .description("list the voices of the built-in engine and of a model")
    .option("--model <directory>", "a model's folder")
    .option("--json", "one JSON object")
    .action(listVoices);

  voice
    .command("add")
    .description("add a voice file to a model's manifest")
    .argument("<id>", "name of the voice")
    .argument("<file>", "voice file (.safetensors)")
    .requiredOption("--license <name>", "licence under which the voice may be used, for example CC-BY-4.0")
    .requiredOption("--model <directory>", "the model's folder")
    .option("--language <tag>", "language, for example en")
    .option("--attribution <text>", "who is to be named")
    .option("--json", "one JSON object")
    .action(addVoiceFile);

  voice
    .command("export")
    .description("make a voice file from a recording (its first 30 s)")
    .requiredOption("--audio <file>", "the recording: WAV, MP3, FLAC or Vorbis")
    .requiredOption("--out <file>", "voice file to write (.safetensors)")
    .option("--model <directory>", "the model's folder; its weights must have the encoder")
    .addOption(
      new Option("--engine <name>", "who makes it; pocket-tts is the reference's own program")
        .choices(["native", "pocket-tts"])
        .default("native"),
    )
    .option("--executable <path>", "path of that program")
    .option("--json", "one JSON object")
    .action(exportVoiceFile);
}
