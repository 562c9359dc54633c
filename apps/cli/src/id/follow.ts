import { DirectoryStore } from "@longwave/base/node";
import { align, Catalog, type MonitorEvent } from "@longwave/catalog";
import type { SoundClass } from "@longwave/fingerprint";
import { clockTime, eventLine, matchLine } from "./format.ts";
import { openCatalog } from "./open-catalog.ts";
import { readSound } from "./read-sound.ts";

interface FollowOptions {
  readonly catalog: string;
  readonly step: number;
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly only?: readonly SoundClass[];
}

/** `longwave id monitor INPUT`: which tracks a long recording enters and leaves. */
export async function monitor(input: string, options: FollowOptions): Promise<void> {
  await using catalog = await openCatalog(options.catalog, { readOnly: true });
  const { samples, sampleRate, channels = 1 } = await readSound(input, { channels: 1 });
  if (options.csv === true) console.log("event,at_ms,id,entered_ms,reference_start_ms,reference_end_ms");
  const chunks = piecesOf(samples, sampleRate * channels);
  const { step: stepSeconds, only } = options;
  for await (const event of catalog.monitor(chunks, { sampleRate, stepSeconds, ...(only && { only }) })) {
    if (options.json === true) console.log(JSON.stringify(event));
    else console.log(options.csv === true ? csvLine(event) : eventLine(event));
  }
}

function* piecesOf(samples: Float32Array, length: number): Generator<Float32Array> {
  for (let at = 0; at < samples.length; at += length) yield samples.subarray(at, at + length);
}

function csvLine(event: MonitorEvent): string {
  const id = "track" in event ? `"${event.track.id.replaceAll('"', '""')}"` : "";
  const span =
    event.type === "leave"
      ? [event.enteredMs, event.referenceSpanMs.start, event.referenceSpanMs.end]
      : ["", "", ""];
  return [event.type, event.atMs, id, ...span].join(",");
}

/** `longwave id dedup`: groups of tracks of the same recording. */
export async function dedup(options: { catalog: string; json?: boolean }): Promise<void> {
  await using catalog = await Catalog.open(new DirectoryStore(options.catalog), { readOnly: true });
  const groups = await catalog.dedup();
  if (options.json === true) {
    console.log(JSON.stringify({ groups }));
    return;
  }
  for (const { ids, pairs } of groups) {
    console.log(ids.join("  "));
    for (const { ids: two, offsetMs, coverage } of pairs) {
      console.log(
        `  ${two[1]} lies ${clockTime(offsetMs)} later than ${two[0]}, ${Math.round(100 * coverage)} % agree`,
      );
    }
  }
  console.log(`${groups.length} groups among ${catalog.size} tracks.`);
}

/** `longwave id align A B`: how the second recording lies against the first. */
export async function alignFiles(first: string, second: string, options: { json?: boolean }): Promise<void> {
  const found = await align(await readSound(first), await readSound(second));
  if (options.json === true) {
    console.log(JSON.stringify({ first, second, ...found, overall: found.overall ?? null }));
    return;
  }
  console.log(
    found.overall === undefined ? "The recordings have nothing in common." : matchLine(found.overall),
  );
  for (const point of found.points)
    console.log(`  ${clockTime(point.secondMs)} lies at ${clockTime(point.firstMs)}`);
  if (found.driftPpm !== undefined) console.log(`drift ${found.driftPpm} ppm`);
}
