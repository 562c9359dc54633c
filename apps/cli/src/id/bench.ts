import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BaseError, MemoryStore } from "@longwave/base";
import { Catalog } from "@longwave/catalog";
import { extract, type ProfileId } from "@longwave/fingerprint";
import { encodeWav } from "@longwave/media";
import { makeRepertoire, SongRenderer } from "@longwave/station";
import { printResult, progress } from "../output.ts";
import { findAudioFiles } from "./audio-files.ts";
import { benchRate, conditions, randomOf, resampled, rms } from "./bench-conditions.ts";
import { readSound } from "./read-sound.ts";

export interface BenchOptions {
  readonly profile: ProfileId;
  readonly songs: number;
  readonly queries: number;
  readonly seed: number;
  readonly maxFalse: number;
  /** A catalog that is asked instead of one made of the recordings. */
  readonly catalog?: string;
  readonly json?: boolean;
}

/** Lengths of the queries in turn, seconds. */
export const lengths: readonly number[] = [3, 5, 10];
/** Composed songs are heard for so long. */
const songSeconds = 40;
/** An offset further off than this is another place of the track. */
const offsetToleranceMs = 300;
/** Every fourth recording is not enrolled: its pieces are what has to be refused. */
const strangerEvery = 4;

/** A recording that is asked for in pieces. */
export interface Recording {
  readonly id: string;
  readonly samples: Float32Array;
}

interface Row {
  readonly condition: string;
  readonly queries: number;
  /** Share of the queries whose track was named. */
  readonly recall: number;
  /** Of these, how many at another place: songs repeat themselves. */
  readonly elsewhere: number;
  readonly wrong: number;
  readonly strangers: number;
  readonly falseAccepts: number;
  readonly offsetErrorMs: number | undefined;
}

/** `longwave id bench [PATH...]`: what is found, what is wrongly found, and how fast, on composed songs or on files of one's own. */
export async function bench(paths: readonly string[], options: BenchOptions): Promise<void> {
  const recordings = paths.length > 0 ? await readRecordings(paths) : composeRecordings(options);
  const enrolled = recordings.filter((_, i) => i % strangerEvery !== strangerEvery - 1);
  const strangers = recordings.filter((_, i) => i % strangerEvery === strangerEvery - 1);
  if (strangers.length === 0) {
    throw new BaseError(
      "cli/too-few-recordings",
      "usage",
      `A benchmark needs at least ${strangerEvery} recordings of 11 s and more, not ${recordings.length}.`,
    );
  }
  const catalog = await Catalog.open(new MemoryStore(), { profile: options.profile });
  const seconds = enrolled.reduce((sum, { samples }) => sum + samples.length / benchRate, 0);
  let cpuMs = 0;
  for (const { id, samples } of enrolled) {
    progress(`enrolling ${id}`);
    const before = process.cpuUsage();
    const fingerprint = extract(options.profile, samples, { sampleRate: benchRate });
    cpuMs += cpuSince(before);
    await catalog.enroll({ id }, fingerprint);
  }
  await catalog.compact();
  const speed = (1000 * seconds) / cpuMs;
  const peer = await chromaprintSpeed(enrolled, seconds);
  const times: number[] = [];
  const rows: Row[] = [];
  for (const [number, { name }] of conditions.entries()) {
    progress(`asking: ${name}`);
    rows.push(await askUnder(number, catalog, enrolled, strangers, options, times));
  }
  times.sort((a, b) => a - b);
  const { segmentBytes } = catalog.storage;
  const report = {
    profile: options.profile,
    source: paths.length > 0 ? "files" : `composed songs, seed ${options.seed}`,
    tracks: catalog.size,
    seconds: Math.round(seconds),
    postings: catalog.postings,
    bytesPerPosting: segmentBytes / catalog.postings,
    extractTimesRealTime: speed,
    ...(peer !== undefined && { timesFpcalc: speed / peer }),
    queryMs: { p50: times[Math.floor(times.length / 2)]!, p95: times[Math.floor(0.95 * times.length)]! },
    maxFalse: options.maxFalse,
    rows,
  };
  printResult(options.json === true, report, () => textOf(report));
}

async function askUnder(
  number: number,
  catalog: Catalog,
  enrolled: readonly Recording[],
  strangers: readonly Recording[],
  { queries, seed, maxFalse }: BenchOptions,
  times: number[],
): Promise<Row> {
  const condition = conditions[number]!;
  let [right, elsewhere, wrong, falseAccepts] = [0, 0, 0, 0];
  const errors: number[] = [];
  const ask = async (recording: Recording, query: number) => {
    const random = randomOf(seed, number, query);
    const length = Math.round(lengths[query % lengths.length]! * condition.speed * benchRate);
    const start = audibleStart(recording.samples, length, (below) => random.below(below));
    const samples = condition.apply(recording.samples.slice(start, start + length), random);
    const before = process.cpuUsage();
    const { match } = await catalog.identify({ samples, sampleRate: benchRate }, { maxFalse });
    times.push(cpuSince(before));
    return { match, truthMs: (1000 * start) / benchRate };
  };
  for (let query = 0; query < queries; query++) {
    const recording = enrolled[query % enrolled.length]!;
    const { match, truthMs } = await ask(recording, query);
    if (match === undefined) continue;
    if (match.track.id !== recording.id) {
      wrong++;
      continue;
    }
    right++;
    const error = Math.abs(match.offsetMs - truthMs);
    if (error <= offsetToleranceMs) errors.push(error);
    else elsewhere++;
  }
  for (let query = 0; query < queries; query++) {
    const { match } = await ask(strangers[query % strangers.length]!, queries + query);
    if (match !== undefined) falseAccepts++;
  }
  errors.sort((a, b) => a - b);
  return {
    condition: condition.name,
    queries,
    recall: right / queries,
    elsewhere,
    wrong,
    strangers: queries,
    falseAccepts,
    offsetErrorMs: errors[Math.floor(errors.length / 2)],
  };
}

/** A place where no half second is silent, if twenty tries find one. */
export function audibleStart(
  samples: Float32Array,
  length: number,
  below: (count: number) => number,
): number {
  let start = 0;
  for (let attempt = 0; attempt < 20; attempt++) {
    start = below(Math.max(1, samples.length - length));
    const step = benchRate / 2;
    let isAudible = true;
    for (let at = start; at + step <= start + length; at += step)
      isAudible &&= rms(samples.subarray(at, at + step)) > 0.003;
    if (isAudible) break;
  }
  return start;
}

function composeRecordings({ songs, seed }: BenchOptions): Recording[] {
  return makeRepertoire(seed, songs).map((score) => {
    progress(`composing ${score.title}`);
    const stereo = new Float32Array(2 * 48_000 * songSeconds);
    new SongRenderer(score).read(stereo);
    const mono = new Float32Array(stereo.length / 2);
    for (let i = 0; i < mono.length; i++) mono[i] = (stereo[2 * i]! + stereo[2 * i + 1]!) / 2;
    return { id: score.id, samples: resampled(mono, 48_000, benchRate) };
  });
}

/** The recordings of 11 s and more among files and directories, mono at the bench's rate. */
export async function readRecordings(paths: readonly string[]): Promise<Recording[]> {
  const found: Recording[] = [];
  for (const { path, id } of await findAudioFiles(paths)) {
    progress(`reading ${id}`);
    const { samples, sampleRate } = await readSound(path, { channels: 1, sampleRate: benchRate });
    if (samples.length >= 11 * sampleRate) found.push({ id, samples });
  }
  return found;
}

/** How many times real time Chromaprint's fpcalc is on the same sound, where it is installed; its start counts, over minutes. */
async function chromaprintSpeed(
  recordings: readonly Recording[],
  seconds: number,
): Promise<number | undefined> {
  if (spawnSync("fpcalc", ["-version"]).error !== undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), "longwave-bench-"));
  try {
    const whole = new Float32Array(recordings.reduce((sum, { samples }) => sum + samples.length, 0));
    let at = 0;
    for (const { samples } of recordings) {
      whole.set(samples, at);
      at += samples.length;
    }
    const file = join(folder, "all.wav");
    await writeFile(file, encodeWav(whole, { sampleRate: benchRate, channels: 1, encoding: "s16" }));
    const before = performance.now();
    // Some builds end with 3 (end of file) after a whole fingerprint.
    const { stdout } = spawnSync("fpcalc", ["-raw", "-length", "0", file], { maxBuffer: 1 << 28 });
    return stdout.includes("FINGERPRINT=") ? (1000 * seconds) / (performance.now() - before) : undefined;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

interface Report {
  readonly profile: string;
  readonly source: string;
  readonly tracks: number;
  readonly seconds: number;
  readonly postings: number;
  readonly bytesPerPosting: number;
  readonly extractTimesRealTime: number;
  readonly timesFpcalc?: number;
  readonly queryMs: { readonly p50: number; readonly p95: number };
  readonly maxFalse: number;
  readonly rows: readonly Row[];
}

function textOf(report: Report): string[] {
  const { rows, queryMs, timesFpcalc } = report;
  const line = ({ condition, recall, elsewhere, wrong, falseAccepts, strangers, offsetErrorMs }: Row) =>
    `${condition.padEnd(22)}${`${(100 * recall).toFixed(0)} %`.padStart(7)}${String(wrong).padStart(7)}${String(elsewhere).padStart(11)}` +
    `${`${falseAccepts} of ${strangers}`.padStart(12)}${offsetErrorMs === undefined ? "" : `${offsetErrorMs.toFixed(0)} ms`.padStart(9)}`;
  const total = rows.reduce((sum, { recall }) => sum + recall, 0) / rows.length;
  return [
    `${report.profile}: ${report.source}, ${report.tracks} tracks of ${report.seconds} s in all, accepted at pFalse ${report.maxFalse}`,
    `${"condition".padEnd(22)}${"recall".padStart(7)}${"wrong".padStart(7)}${"elsewhere".padStart(11)}${"accepted *".padStart(12)}${"offset".padStart(9)}`,
    ...rows.map(line),
    `mean recall ${(100 * total).toFixed(1)} %   (* of sound that is not enrolled)`,
    `extraction ${report.extractTimesRealTime.toFixed(0)} times real time on one thread` +
      (timesFpcalc === undefined ? "" : `, ${timesFpcalc.toFixed(2)} times fpcalc`),
    `query ${queryMs.p50.toFixed(1)} ms of CPU (median), ${queryMs.p95.toFixed(1)} ms (95 %)`,
    `${report.postings} hashes, ${report.bytesPerPosting.toFixed(2)} bytes each`,
  ];
}
