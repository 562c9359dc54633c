import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { isNonCommercial } from "@longwave/tts";
import { addVoice, exportVoice, exportVoiceByProgram, openTts } from "@longwave/tts/node";
import { CliError } from "../errors.ts";
import { openOptions, resolveSpeechSettings } from "./speech-settings.ts";

/** `longwave voice list`. */
export async function listVoices(options: { model?: string; json?: boolean }): Promise<void> {
  const settings = resolveSpeechSettings({ model: options.model });
  await using tts = await openTts({ ...openOptions(settings), threads: 1 });
  const voices = tts.listVoices();
  if (options.json) console.log(JSON.stringify({ voices }));
  else
    for (const { id, engine, license, language } of voices)
      console.log([id, engine, license, language ?? ""].join("\t"));
}

/** `longwave voice add ID FILE --license L`. */
export async function addVoiceFile(
  id: string,
  file: string,
  options: { license: string; model: string; language?: string; attribution?: string; json?: boolean },
): Promise<void> {
  const { license, language, attribution } = options;
  const voice = addVoice(
    options.model,
    {
      id,
      license,
      ...(language === undefined ? {} : { language }),
      ...(attribution === undefined ? {} : { attribution }),
    },
    file,
  );
  if (options.json) console.log(JSON.stringify({ voice }));
  else console.log(`Added ${id} (${license}).`);
  if (isNonCommercial(license)) {
    process.stderr.write(`longwave: ${license} does not allow commercial use of this voice.\n`);
  }
}

/** `longwave voice export --audio FILE --out VOICE`. */
export async function exportVoiceFile(options: {
  audio: string;
  out: string;
  engine: "native" | "pocket-tts";
  model?: string;
  executable?: string;
  json?: boolean;
}): Promise<void> {
  let positions: number | null = null;
  if (options.engine === "pocket-tts") {
    await exportVoiceByProgram(options.audio, options.out, { executablePath: options.executable });
  } else {
    if (options.model === undefined) {
      throw new CliError(
        "cli/bad-argument",
        "usage",
        "Give the model's folder with --model, or --engine pocket-tts.",
      );
    }
    positions = await exportVoice(options.model, await readFile(options.audio), options.out);
  }
  const entry = {
    id: basename(options.out).replace(/\.safetensors$/, ""),
    path: basename(options.out),
    license: "",
  };
  if (options.json) console.log(JSON.stringify({ out: options.out, positions, entry }));
  else {
    const size = positions === null ? "" : `: ${positions} positions`;
    console.log(`Wrote ${options.out}${size}. Add it with its licence to the manifest:`);
    console.log(JSON.stringify(entry, null, 2));
  }
}
