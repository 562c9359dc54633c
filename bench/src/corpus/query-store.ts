import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CorpusQuery, QueryTruth, Shard } from "./corpus.js";
import { corpusRate, resampled } from "./tools.js";

/** Queries are mono, 16 bits, at this rate: what a phone would send. */
export const queryRate = 16_000;

/** A stored excerpt with the truth about it; `samples` at `queryRate`. */
export interface StoredQuery extends QueryTruth {
  readonly set: Shard["set"];
  readonly samples: Float32Array;
}

/**
 * The queries of a shard, made at the first call and stored as two files (truth as JSON, samples as s16) in `folder`, so that
 * a run that was cut off goes on where it stopped.
 */
export function* storedQueries(shard: Shard, folder: string): Generator<StoredQuery> {
  const truthFile = join(folder, `${shard.name}.json`);
  const soundFile = join(folder, `${shard.name}.s16`);
  if (!existsSync(truthFile)) makeShard(shard, folder, truthFile, soundFile);
  const truths = JSON.parse(readFileSync(truthFile, "utf8")) as (QueryTruth & { length: number })[];
  const bytes = readFileSync(soundFile);
  const sound = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
  let at = 0;
  for (const { length, ...truth } of truths) {
    const samples = Float32Array.from(sound.subarray(at, at + length), (value) => value / 32_768);
    at += length;
    yield { ...truth, source: truth.source, set: shard.set, samples };
  }
}

function makeShard(shard: Shard, folder: string, truthFile: string, soundFile: string): void {
  mkdirSync(folder, { recursive: true });
  const truths: (QueryTruth & { length: number })[] = [];
  const parts: Buffer[] = [];
  for (const query of shard.queries()) {
    const { samples, ...truth } = query satisfies CorpusQuery;
    const sound = Int16Array.from(resampled(samples, corpusRate, queryRate), (value) =>
      Math.max(-32_768, Math.min(32_767, Math.round(32_767 * value))),
    );
    truths.push({ ...truth, length: sound.length });
    parts.push(Buffer.from(sound.buffer));
  }
  writeFileSync(soundFile, Buffer.concat(parts));
  // The truth is written last and at once: where it exists, the sound is whole.
  writeFileSync(`${truthFile}.part`, JSON.stringify(truths));
  renameSync(`${truthFile}.part`, truthFile);
}
