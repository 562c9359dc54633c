import { readFile } from "node:fs/promises";
import { systemErrorKind, systemReason } from "@longwave/base/node";
import { StationError } from "../errors.ts";
import type { VoiceOver } from "../speech/voice-over.ts";

export interface TalkScheduleOptions {
  /** Text file, one announcement a line; empty lines and those that begin with # are left out. Read again each time. */
  readonly path: string;
  readonly everyMs: number;
  readonly onFailure: (reason: string) => void;
}

/**
 * Speaks the lines of a file over a programme, one every so often, in turn. Whoever writes the file (a weather script, a news desk)
 * decides what is said next.
 *
 * @returns the function that ends it
 * @throws StationError `station/no-texts` where the file cannot be read or says nothing
 */
export async function startTalking(voiceOver: VoiceOver, options: TalkScheduleOptions): Promise<() => void> {
  const { path, everyMs, onFailure } = options;
  await readLines(path);
  let next = 0;
  const speak = async () => {
    try {
      const lines = await readLines(path);
      await voiceOver.say({ text: lines[next++ % lines.length]! });
    } catch (error) {
      onFailure((error as Error).message);
    }
  };
  const timer = setInterval(() => void speak(), everyMs);
  return () => clearInterval(timer);
}

async function readLines(path: string): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    const message = `Cannot read the texts in ${path}: ${systemReason(cause)}.`;
    throw new StationError("station/no-texts", systemErrorKind(cause), message, { cause });
  }
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "" && !line.startsWith("#"));
  if (lines.length > 0) return lines;
  throw new StationError(
    "station/no-texts",
    "usage",
    `${path} holds no text; write one announcement a line.`,
  );
}
