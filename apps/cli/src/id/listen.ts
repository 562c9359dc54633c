import type { MonitorEvent } from "@longwave/catalog";
import { printLine, progress } from "../output.ts";
import { clockTime, eventLine } from "./format.ts";
import { type LiveSource, openLiveSource } from "./live-source.ts";
import { openSearchable } from "./open-catalog.ts";
import { warnOf } from "./read-sound.ts";

export interface ListenOptions {
  readonly catalog: string;
  readonly step: number;
  readonly window: number;
  readonly maxFalse: number;
  readonly rate: number;
  readonly channels: number;
  readonly device?: string;
  readonly json?: boolean;
}

/** `longwave id listen [INPUT]`: what is playing, while it plays, until the sound ends or Ctrl-C. */
export async function listen(input: string | undefined, options: ListenOptions): Promise<void> {
  await using catalog = await openSearchable(options.catalog);
  const source = await openLiveSource(input, options);
  let stopped = false;
  const stop = () => {
    stopped = true;
    source.close();
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  progress(`Listening to ${source.name}; end with Ctrl-C.`);
  let dropped = 0;
  try {
    const events = catalog.monitor(source.chunks, {
      sampleRate: source.sampleRate,
      live: true,
      stepSeconds: options.step,
      windowSeconds: options.window,
      maxFalse: options.maxFalse,
    });
    for await (const event of events) {
      print(event, options);
      dropped = reportDropped(source, dropped, options);
    }
    reportDropped(source, dropped, options);
    warnOf(source.name, source.warnings);
  } catch (error) {
    // Ending the program that records cuts its stream off.
    if (!stopped) throw error;
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
    source.close();
  }
}

function print(event: MonitorEvent, { json }: ListenOptions): void {
  printLine(json === true ? JSON.stringify(event) : eventLine(event));
}

/** Says how much sound was lost since the last time. */
function reportDropped(source: LiveSource, before: number, { json }: ListenOptions): number {
  const { droppedSamples, sampleRate } = source;
  if (droppedSamples === before) return before;
  const lost = droppedSamples - before;
  if (json === true) printLine(JSON.stringify({ type: "overrun", droppedSamples: lost }));
  else
    process.stderr.write(
      `${clockTime((1000 * lost) / sampleRate)} of sound was lost: the search is too slow.\n`,
    );
  return droppedSamples;
}
