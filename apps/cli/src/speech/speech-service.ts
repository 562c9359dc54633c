import type { Hooks } from "@longwave/base";
import { SystemClock } from "@longwave/base/node";
import { SpeechService, type Tts } from "@longwave/tts";
import { openTts } from "@longwave/tts/node";
import { ConfigError } from "../errors.ts";
import { durationMs, openOptions, type SpeechSettings } from "./speech-settings.ts";

const levels = ["debug", "info", "warn", "error"] as const;
const mostWorkers = 64;

/** Opens as many engines as texts shall be spoken side by side, and the service over them; logs JSON lines on standard error. */
export async function openSpeechService(
  settings: SpeechSettings,
): Promise<{ service: SpeechService; engines: readonly string[] }> {
  const count = settings.workers.value as number;
  if (count < 1 || count > mostWorkers) {
    throw new ConfigError(
      "config/bad-value",
      "usage",
      `workers (${settings.workers.from}) must be 1 to ${mostWorkers}, not ${count}.`,
    );
  }
  const hooks = jsonLines(settings.logLevel.value as string);
  const workers: Tts[] = [];
  try {
    while (workers.length < count) workers.push(await openTts({ ...openOptions(settings), hooks }));
  } catch (error) {
    await Promise.all(workers.map((tts) => tts.close()));
    throw error;
  }
  const service = new SpeechService({
    workers,
    clock: new SystemClock(),
    maxTextBytes: settings.maxTextBytes.value as number,
    requestTimeoutMs: durationMs(settings.requestTimeout),
    hooks,
  });
  return { service, engines: workers[0]!.engines };
}

function jsonLines(least: string): Hooks {
  const from = levels.indexOf(least as (typeof levels)[number]);
  return {
    log: (level, message, fields) => {
      if (levels.indexOf(level as (typeof levels)[number]) < from) return;
      process.stderr.write(
        `${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`,
      );
    },
  };
}
