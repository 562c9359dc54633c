import type { Command } from "commander";

/** Examples for the help of commands that bring none of their own, by the command's path. A test parses every one. */
const examples: Readonly<Record<string, readonly string[]>> = {
  opus: [
    "longwave opus encode song.wav song.opus --bitrate 96",
    "longwave opus decode song.opus song.wav",
    "longwave opus info song.opus --json",
    "longwave opus compare song.wav decoded.wav",
  ],
  id: [
    "longwave id enroll ~/Music --catalog ./catalog",
    "longwave id match clip.wav --catalog ./catalog",
    "arecord -f dat | longwave id listen - --catalog ./catalog",
    "longwave id dedup --catalog ./catalog",
  ],
  link: [
    "longwave link receive --bind rist://@0.0.0.0:7000 --output received.ts",
    "longwave link send --source input.ts --dest rist://198.51.100.7:7000,rist://203.0.113.7:7000",
  ],
  say: [
    'longwave say "Good evening." -o evening.wav',
    "fortune | longwave say --text - --format opus -o fortune.opus",
  ],
  voice: [
    "longwave voice list --model ./model",
    "longwave voice export --audio me.wav --out me.safetensors --model ./model",
  ],
  model: ["longwave model list", "longwave model verify ./model"],
  tts: ["longwave tts bench --model ./model"],
  doctor: ["longwave doctor", "longwave doctor --catalog ./catalog --json"],
  config: [
    "longwave config show --origin",
    "longwave config check --config station.toml",
    "longwave config migrate",
  ],
};

/** Adds the examples to the help of the program's commands. */
export function addExamples(program: Command): void {
  for (const command of program.commands) {
    const lines = examples[command.name()];
    if (lines === undefined) continue;
    const title = lines.length === 1 ? "Example" : "Examples";
    command.addHelpText("after", `\n${title}:\n${lines.map((line) => `  ${line}`).join("\n")}`);
  }
}
