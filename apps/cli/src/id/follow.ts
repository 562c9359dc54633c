import { availableParallelism } from "node:os";
import { BaseError, MemoryStore } from "@longwave/base";
import { type Alignment, align, Catalog, type MonitorEvent } from "@longwave/catalog";
import { extract, type SoundClass } from "@longwave/fingerprint";
import { printLine, progress } from "../output.ts";
import { findAudioFiles } from "./audio-files.ts";
import { fingerprintFiles } from "./fingerprint-files.ts";
import { clockTime, eventLine, matchLine, spanLine } from "./format.ts";
import { type LiveSource, openRecording } from "./live-source.ts";
import { aboutFile } from "./naming.ts";
import { openLocal, openSearchable } from "./open-catalog.ts";
import { type FileSound, readSound, warnOf } from "./read-sound.ts";

interface FollowOptions {
  readonly catalog: string;
  readonly step: number;
  readonly rate: number;
  readonly channels: number;
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly only?: readonly SoundClass[];
}

/** `longwave id monitor INPUT`: which tracks a long recording enters and leaves. */
export async function monitor(input: string, options: FollowOptions): Promise<void> {
  await using catalog = await openSearchable(options.catalog);
  const source = await openRecording(input, options);
  if (options.csv === true) printLine("event,at_ms,id,entered_ms,reference_start_ms,reference_end_ms");
  const { chunks, sampleRate, live } = source;
  const { step: stepSeconds, only } = options;
  const looking = { sampleRate, stepSeconds, live, ...(only && { only }) };
  try {
    for await (const event of catalog.monitor(chunks, looking)) {
      if (options.json === true) printLine(JSON.stringify(event));
      else printLine(options.csv === true ? csvLine(event) : eventLine(event));
      if (options.csv === true && toldApart.has(event.type)) console.error(eventLine(event));
    }
    endOfSource(source, options.json === true);
  } finally {
    source.close();
  }
}

/** Events of which a line of CSV cannot say how much or why. */
const toldApart: ReadonlySet<MonitorEvent["type"]> = new Set(["replaced", "away", "back", "shards"]);

/** Says what the input lacked. */
function endOfSource({ name, warnings }: LiveSource, json: boolean): void {
  if (json && warnings.length > 0) printLine(JSON.stringify({ type: "truncated", warnings }));
  warnOf(name, warnings);
}

function csvLine(event: MonitorEvent): string {
  const id = "track" in event ? `"${event.track.id.replaceAll('"', '""')}"` : "";
  const span =
    event.type === "leave"
      ? [event.enteredMs, event.referenceSpanMs.start, event.referenceSpanMs.end]
      : ["", "", ""];
  return [event.type, event.atMs, id, ...span].join(",");
}

/** `longwave id dedup`: groups of tracks of the same recording, in a catalog or among files. */
export async function dedup(
  paths: readonly string[],
  options: { catalog?: string; json?: boolean },
): Promise<void> {
  if ((paths.length === 0) === (options.catalog === undefined)) {
    throw new BaseError("cli/bad-option", "usage", "Name files or directories, or a catalog with --catalog.");
  }
  await using catalog =
    options.catalog === undefined
      ? await catalogOfFiles(paths)
      : await openLocal(options.catalog, "dedup", { readOnly: true });
  const groups = await catalog.dedup();
  if (options.json === true) {
    printLine(JSON.stringify({ groups }));
    return;
  }
  for (const { ids, pairs } of groups) {
    printLine(ids.join("  "));
    for (const { ids: two, offsetMs, coverage } of pairs) {
      printLine(
        `  ${two[1]} lies ${clockTime(offsetMs)} later than ${two[0]}, ${Math.round(100 * coverage)} % agree`,
      );
    }
  }
  printLine(`${groups.length} groups among ${catalog.size} tracks.`);
}

/** A catalog in memory, for as long as the comparison takes. */
async function catalogOfFiles(paths: readonly string[]): Promise<Catalog> {
  const catalog = await Catalog.open(new MemoryStore());
  const files = await findAudioFiles(paths);
  const jobs = Math.min(files.length, availableParallelism());
  async function* each() {
    yield* files;
  }
  for await (const { file, outcome } of fingerprintFiles(each(), catalog.profile, jobs)) {
    progress(file.id);
    if ("error" in outcome)
      console.error(`left out ${file.path}: ${outcome.error.message} (${outcome.error.code})`);
    else {
      warnOf(file.path, outcome.warnings);
      await catalog.enroll({ id: file.path }, outcome.fingerprint, { replace: true });
    }
  }
  return catalog;
}

/** As `align`; what is wrong with one of the files is said with its name. */
async function alignNamed(
  first: string,
  firstSound: FileSound,
  second: string,
  secondSound: FileSound,
): Promise<Alignment> {
  try {
    return await align(firstSound, secondSound);
  } catch (error) {
    for (const [path, sound] of [
      [first, firstSound],
      [second, secondSound],
    ] as const)
      await aboutFile(path, () => void extract("mark-v1", sound.samples, sound));
    throw error;
  }
}

/** `longwave id align A B`: how the second recording lies against the first. */
export async function alignFiles(first: string, second: string, options: { json?: boolean }): Promise<void> {
  const found = await alignNamed(first, await readSound(first), second, await readSound(second));
  if (options.json === true) {
    printLine(JSON.stringify({ first, second, ...found, overall: found.overall ?? null }));
    return;
  }
  printLine(
    found.overall === undefined ? "The recordings have nothing in common." : matchLine(found.overall),
  );
  if (found.overall !== undefined) printLine(`  ${spanLine(found.overall)}`);
  for (const point of found.points)
    printLine(`  ${clockTime(point.secondMs)} lies at ${clockTime(point.firstMs)}`);
  if (found.driftPpm !== undefined) printLine(`drift ${found.driftPpm} ppm`);
}
