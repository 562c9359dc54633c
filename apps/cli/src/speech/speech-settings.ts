import { engineNames, type OpenTtsOptions } from "@longwave/tts/node";
import { type Definition, resolveTable, type Setting, speechTable } from "../config.ts";
import { parseDurationUs } from "../duration.ts";
import { ConfigError } from "../errors.ts";

/** Settings of everything that speaks. */
export type SpeechSettingName =
  | "engine"
  | "model"
  | "voices"
  | "voice"
  | "precision"
  | "threads"
  | "executable"
  | "command"
  | "commandRate"
  | "ortLib"
  | "cloning"
  | "workers"
  | "voiceUrlHosts"
  | "maxTextBytes"
  | "requestTimeout"
  | "shutdownTimeout"
  | "metricsAddr"
  | "logLevel";

/**
 * Every setting: `--key-name` on the command line, `LONGWAVE_TTS_KEY_NAME` (or `POCKETTTS_KEY_NAME`) in the environment, `keyName` in
 * the table [tts] of longwave.toml.
 */
export const speechDefinitions: Readonly<Record<SpeechSettingName, Definition>> = {
  engine: { kind: "text", fallback: undefined, choices: engineNames, description: "engine that must speak" },
  model: { kind: "text", fallback: undefined, description: "folder of a model, for the native engine" },
  voices: {
    kind: "text",
    fallback: undefined,
    description: "manifest of the voices; the model's own without",
  },
  voice: { kind: "text", fallback: undefined, description: "voice where none is asked for" },
  precision: {
    kind: "text",
    fallback: "auto",
    choices: ["auto", "f32", "bf16", "int8"],
    description: "weights of the native engine",
  },
  threads: { kind: "integer", fallback: 2, description: "threads of the native engine, 1 or 2" },
  executable: { kind: "text", fallback: undefined, description: "path of the external program" },
  command: {
    kind: "text",
    fallback: undefined,
    description: "command line of a program that reads text and writes a WAV; {voice} is replaced",
  },
  commandRate: { kind: "integer", fallback: 24_000, description: "rate of that WAV in Hz" },
  ortLib: {
    kind: "text",
    fallback: undefined,
    description: "folder of an installed ONNX Runtime, for the engine onnx",
  },
  cloning: { kind: "flag", fallback: false, description: "let requests bring a recording to speak like" },
  workers: { kind: "integer", fallback: 2, description: "texts that a server speaks side by side" },
  voiceUrlHosts: {
    kind: "text",
    fallback: undefined,
    description: "hosts that voice_url may name, with commas; none without",
  },
  maxTextBytes: { kind: "integer", fallback: 4096, description: "longest text that a server takes" },
  requestTimeout: { kind: "duration", fallback: "60s", description: "longest time for one text" },
  shutdownTimeout: { kind: "duration", fallback: "30s", description: "longest wait for texts at the end" },
  metricsAddr: {
    kind: "text",
    fallback: undefined,
    description: "[HOST]:PORT that serves /metrics alone; only with the rest without",
  },
  logLevel: {
    kind: "text",
    fallback: "info",
    choices: ["debug", "info", "warn", "error"],
    description: "least level that a server logs",
  },
};

export type SpeechSettings = Readonly<Record<SpeechSettingName, Setting>>;

/** Resolves all settings of speech. @throws ConfigError for an unknown key of [tts] or a value of the wrong kind */
export function resolveSpeechSettings(
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  file?: string,
): SpeechSettings {
  const settings = resolveTable(
    { table: speechTable, definitions: speechDefinitions, prefixes: ["LONGWAVE_TTS_", "POCKETTTS_"] },
    flags,
    environment,
    file,
  );
  const threads = settings.threads.value;
  if (threads !== 1 && threads !== 2) {
    throw new ConfigError("config/bad-value", "usage", `threads (${settings.threads.from}) must be 1 or 2.`);
  }
  checkRanges(settings);
  return settings;
}

/** Timers cannot be set further ahead than 24 days; a day is more than any text needs. */
const longestMs = 86_400_000;

/** @throws ConfigError `config/bad-value` */
function checkRanges(settings: SpeechSettings): void {
  const check = (name: SpeechSettingName, isGood: boolean, range: string) => {
    const { from, value } = settings[name];
    if (isGood) return;
    throw new ConfigError("config/bad-value", "usage", `${name} (${from}) must be ${range}, not ${value}.`);
  };
  const requestMs = durationMs(settings.requestTimeout);
  check("requestTimeout", requestMs >= 1 && requestMs <= longestMs, "1ms to 24h");
  check("shutdownTimeout", durationMs(settings.shutdownTimeout) <= longestMs, "0s to 24h");
  check("maxTextBytes", (settings.maxTextBytes.value as number) >= 1, "1 or more");
  const rate = settings.commandRate.value as number;
  check("commandRate", rate >= 1000 && rate <= 384_000, "1000 to 384000 Hz");
}

/** The settings as the library takes them. */
export function openOptions(settings: SpeechSettings): OpenTtsOptions {
  const text = (name: SpeechSettingName) => settings[name].value as string | undefined;
  return {
    engine: text("engine"),
    model: text("model"),
    voices: text("voices"),
    voice: text("voice"),
    precision: text("precision") as OpenTtsOptions["precision"],
    threads: settings.threads.value as 1 | 2,
    cloning: settings.cloning.value as boolean,
    subprocess: { executablePath: text("executable") },
    ortLib: text("ortLib"),
    command: text("command"),
    commandRate: settings.commandRate.value as number,
  };
}

/** A duration in milliseconds. */
export function durationMs(setting: Setting): number {
  return Math.round(parseDurationUs(setting.value as string) / 1000);
}
