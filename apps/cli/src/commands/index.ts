import type { Command } from "commander";

/** Adds one `longwave <thing>` to the program. One file per thing. */
export type RegisterCommand = (program: Command) => void;

/**
 * Every `longwave <thing>`, loaded when it is wanted: a command starts with the memory and in the time of what it uses itself.
 * The order here is the order of the help text.
 */
const commands: ReadonlyMap<string, () => Promise<RegisterCommand>> = new Map([
  ["station", async () => (await import("./station.ts")).registerStation],
  ["serve", async () => (await import("./serve.ts")).registerServe],
  ["opus", async () => (await import("./opus.ts")).registerOpus],
  ["archive", async () => (await import("./archive.ts")).registerArchive],
  ["id", async () => (await import("./id.ts")).registerId],
  ["jobs", async () => (await import("./jobs.ts")).registerJobs],
  ["watermark", async () => (await import("./watermark.ts")).registerWatermark],
  ["link", async () => (await import("./link.ts")).registerLink],
  ["say", async () => (await import("./say.ts")).registerSay],
  ["voice", async () => (await import("./voice.ts")).registerVoice],
  ["model", async () => (await import("./model.ts")).registerModel],
  ["tts", async () => (await import("./tts.ts")).registerTts],
  ["bench", async () => (await import("./bench.ts")).registerBench],
  ["doctor", async () => (await import("./doctor.ts")).registerDoctor],
  ["health", async () => (await import("./health.ts")).registerHealth],
  ["config", async () => (await import("./config.ts")).registerConfig],
  ["completion", async () => (await import("./completion.ts")).registerCompletion],
]);

/** Loads the one command that the arguments name, none for the version, or all of them (for help, completion and mistakes). */
export async function loadCommands(args: readonly string[]): Promise<readonly RegisterCommand[]> {
  const first = args.find((arg) => !arg.startsWith("-"));
  if (first === undefined && args.some((arg) => arg === "-V" || arg === "--version")) return [];
  const wanted = first === undefined || first === "completion" ? undefined : commands.get(first);
  if (wanted !== undefined) return [await wanted()];
  return Promise.all([...commands.values()].map((load) => load()));
}
