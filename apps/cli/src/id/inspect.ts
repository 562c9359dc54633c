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
import { inspectSegment } from "./inspect-segment.ts";
import { readSound } from "./read-sound.ts";
import { timeDifferences } from "./time-differences.ts";

export interface InspectOptions {
  readonly profile: ProfileId;
  readonly json?: boolean;
}

/** `longwave id inspect FILE`: a catalog, a segment of one, a stored fingerprint, or the fingerprint that a recording would get. */
export async function inspect(path: string, options: InspectOptions): Promise<void> {
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
  return inspectFingerprint(path, extract(options.profile, samples, { sampleRate, channels }), options);
}

async function inspectCatalog(path: string, options: InspectOptions): Promise<void> {
  await using catalog = await Catalog.open(new DirectoryStore(path), { readOnly: true });
  const { profile, size, postings } = catalog;
  const tracks = catalog.tracks();
  const seconds = tracks.reduce((sum, track) => sum + track.durationSeconds, 0);
  if (options.json === true) {
    printLine(JSON.stringify({ path, profile, tracks, postings, seconds }));
    return;
  }
  printLine(
    `catalog ${path}: profile ${profile}, ${size} tracks, ${clockTime(seconds * 1000)}, ${postings} hashes`,
  );
  for (const track of tracks) {
    printLine(`  ${track.id}  ${clockTime(track.durationSeconds * 1000)}  ${track.hashes} hashes`);
  }
}

function inspectFingerprint(path: string, fingerprint: Fingerprint, options: InspectOptions): void {
  const hashes = recordCount(fingerprint);
  const seconds = durationSeconds(fingerprint);
  const density = perSecond(fingerprint, seconds);
  const lists = longestLists(fingerprint);
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
      hashes,
      density,
      lists,
      differences,
    };
    printLine(JSON.stringify(report));
    return;
  }
  printLine(`${path}: ${fingerprint.profile}, config ${fingerprint.configHash}`);
  printLine(`${hashes} hashes in ${clockTime(seconds * 1000)}`);
  printLine(`hashes a second: ${density.join(" ")}`);
  printLine(`longest lists: ${lists.map(({ hash, count }) => `${hash} x ${count}`).join(", ")}`);
  const differences = timeDifferences(fingerprint);
  if (differences.length > 0) {
    printLine(
      `frames spanned x hashes: ${differences.map(({ frames, count }) => `${frames} x ${count}`).join(", ")}`,
    );
  }
  const bytes = toEnvelope(fingerprint).subarray(0, 128);
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)].map((byte) => byte.toString(16).padStart(2, "0"));
    printLine(`${at.toString(16).padStart(6, "0")}  ${row.join(" ")}`);
  }
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

function longestLists(fingerprint: Fingerprint): { hash: string; count: number }[] {
  const counts = new Map<number, number>();
  const { records, recordWords } = fingerprint;
  for (let i = 0; i < records.length; i += recordWords) {
    counts.set(records[i]!, (counts.get(records[i]!) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, 5)
    .map(([hash, count]) => ({ hash: hash.toString(16).padStart(8, "0"), count }));
}
