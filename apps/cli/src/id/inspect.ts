import { readFile, stat } from "node:fs/promises";
import { BaseError } from "@longwave/base";
import { DirectoryStore } from "@longwave/base/node";
import { Catalog } from "@longwave/catalog";
import {
  durationSeconds,
  extract,
  type Fingerprint,
  fromEnvelope,
  type ProfileId,
  recordCount,
  toEnvelope,
} from "@longwave/fingerprint";
import { printLine } from "../output.ts";
import { clockTime } from "./format.ts";
import { hexDump } from "./hex-dump.ts";
import { inspectSegment } from "./inspect-segment.ts";
import { longestLists } from "./longest-lists.ts";
import { aboutFile } from "./naming.ts";
import { connectTo, isNats, parseNatsPlace, scatteredOver } from "./nats-place.ts";
import { readSound } from "./read-sound.ts";
import { hashesOf, timeDifferences } from "./time-differences.ts";

export interface InspectOptions {
  readonly profile: ProfileId;
  readonly json?: boolean;
}

/** `longwave id inspect FILE`: a catalog, a segment of one, a stored fingerprint, or the fingerprint that a recording would get. */
export async function inspect(path: string, options: InspectOptions): Promise<void> {
  if (isNats(path)) return inspectShards(path, options);
  const info = path === "-" ? undefined : await stat(path).catch(() => undefined);
  if (info === undefined && path !== "-") {
    throw new BaseError("cli/no-such-file", "usage", `${path} does not exist.`);
  }
  if (info?.isDirectory() === true) return inspectCatalog(path, options);
  const head = path === "-" ? undefined : await readFile(path).then((bytes) => bytes.subarray(0, 4));
  if (head?.toString("latin1") === "LWSG")
    return inspectSegment(path, await readFile(path), options.json === true);
  const isEnvelope = head !== undefined && head.toString("latin1") === "LWFP";
  if (isEnvelope) return inspectFingerprint(path, fromEnvelope(await readFile(path)), options);
  const { samples, sampleRate, channels = 1 } = await readSound(path);
  const fingerprint = await aboutFile(path, () =>
    extract(options.profile, samples, { sampleRate, channels }),
  );
  return inspectFingerprint(path, fingerprint, options);
}

async function inspectCatalog(path: string, options: InspectOptions): Promise<void> {
  const store = new DirectoryStore(path);
  await using catalog = await Catalog.open(store, { readOnly: true });
  const { profile, size, postings, storage, configHash } = catalog;
  const tracks = catalog.tracks();
  const seconds = tracks.reduce((sum, track) => sum + track.durationSeconds, 0);
  const manifest = await store.get("manifest.json");
  if (options.json === true) {
    printLine(JSON.stringify({ path, profile, configHash, tracks, postings, seconds, storage }));
    return;
  }
  printLine(
    `catalog ${path}: profile ${profile}, ${size} tracks, ${clockTime(seconds * 1000)}, ${postings} hashes, config ${configHash}`,
  );
  const { segments, segmentBytes, journalEntries } = storage;
  printLine(`${segments} segments of ${segmentBytes} bytes, ${journalEntries} changes in the journal`);
  printLine(`${(postings / Math.max(1, seconds)).toFixed(1)} hashes a second`);
  for (const track of tracks) {
    printLine(`  ${track.id}  ${clockTime(track.durationSeconds * 1000)}  ${track.hashes} hashes`);
  }
  if (manifest === undefined) return;
  printLine("manifest:");
  for (const line of hexDump(manifest.subarray(0, 128))) printLine(line);
}

/** The matchers behind `nats://host`. */
async function inspectShards(path: string, { json }: InspectOptions): Promise<void> {
  const place = parseNatsPlace(path);
  const connection = await connectTo(place);
  try {
    const scattered = await scatteredOver(connection, place);
    const matchers = await scattered.matchers();
    const heard = new Set(matchers.map(({ shard }) => shard));
    const missing = scattered.shards.filter((shard) => !heard.has(shard));
    const { profile, shards } = scattered;
    if (json === true) return printLine(JSON.stringify({ path, profile, shards, matchers, missing }));
    printLine(`${shards.length} shards, profile ${profile}, ${matchers.length} matchers`);
    for (const { shard, tracks, postings, answered, waiting } of matchers) {
      const size = tracks === undefined ? "" : `${tracks} tracks, ${postings} hashes, `;
      printLine(`  ${shard}  ${size}${answered} questions answered, ${waiting} wait`);
    }
    for (const shard of missing) printLine(`  ${shard}  no answer`);
  } finally {
    await connection.close();
  }
}

function inspectFingerprint(path: string, fingerprint: Fingerprint, options: InspectOptions): void {
  const enrolled = hashesOf(fingerprint);
  const hashes = enrolled.length;
  const records = recordCount(fingerprint);
  const seconds = durationSeconds(fingerprint);
  const density = perSecond(fingerprint, seconds);
  const lists = longestLists(countsOf(enrolled));
  if (options.json === true) {
    const { profile, configHash, sampleRate, hopSize } = fingerprint;
    const differences = timeDifferences(fingerprint);
    const report = {
      path,
      profile,
      configHash,
      sampleRate,
      hopSize,
      seconds,
      records,
      hashes,
      density,
      lists,
      differences,
    };
    printLine(JSON.stringify(report));
    return;
  }
  printLine(`${path}: ${fingerprint.profile}, config ${fingerprint.configHash}`);
  const what = fingerprint.profile === "mark-v1" ? "peaks" : "hashes";
  printLine(
    `${what === "peaks" ? `${records} peaks, ` : ""}${hashes} hashes in ${clockTime(seconds * 1000)}`,
  );
  printLine(`${what} a second: ${density.join(" ")}`);
  printLine(`longest lists: ${lists.map(({ hash, count }) => `${hash} x ${count}`).join(", ")}`);
  const differences = timeDifferences(fingerprint);
  if (differences.length > 0) {
    printLine(
      `frames spanned x hashes: ${differences.map(({ frames, count }) => `${frames} x ${count}`).join(", ")}`,
    );
  }
  printLine("envelope:");
  for (const line of hexDump(toEnvelope(fingerprint).subarray(0, 128))) printLine(line);
}

function perSecond(fingerprint: Fingerprint, seconds: number): number[] {
  const counts = new Array<number>(Math.max(1, Math.ceil(seconds))).fill(0);
  const { records, recordWords, hopSize, sampleRate } = fingerprint;
  for (let i = 1; i < records.length; i += recordWords) {
    const second = Math.floor((records[i]! * hopSize) / sampleRate);
    counts[Math.min(second, counts.length - 1)]!++;
  }
  return counts;
}

function countsOf(hashes: Uint32Array): Map<number, number> {
  const counts = new Map<number, number>();
  for (const hash of hashes) counts.set(hash, (counts.get(hash) ?? 0) + 1);
  return counts;
}
