import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeWav } from "@longwave/media";
import type { Corpus } from "../corpus/corpus.js";
import { queryRate } from "../corpus/query-store.js";
import { cachedBytes, corpusRate, inScratch } from "../corpus/tools.js";
import type { Answer, RobustnessSystem } from "./system.js";

/** Chromaprint takes an item every 1,365 samples at 11,025 Hz. */
const itemMilliseconds = (1000 * 1365) / 11_025;
/** Alignments share so many items at least: about one second. */
const leastShared = 8;

/**
 * Debian's fpcalc; undefined where it is absent. Chromaprint has no rule for excerpts: every query is compared with every
 * recording at every offset, and the least share of different bits ranks the recordings. That finds more than its index would.
 */
export function chromaprintSystem(corpus: Corpus): RobustnessSystem | undefined {
  const version = spawnSync("fpcalc", ["-version"], { encoding: "utf8" });
  if (version.error !== undefined) return undefined;
  const references = corpus.recordingIds().map((id) => {
    const file = join(corpus.folder, `${id.replaceAll("/", "_")}.chromaprint`);
    const bytes = cachedBytes(file, () => {
      const items = chromaprint(corpus.recording(id).samples, corpusRate);
      return new Uint8Array(items.buffer, 0, items.byteLength);
    });
    return { id, items: new Uint32Array(bytes.slice().buffer) };
  });
  const ask = (samples: Float32Array): Answer => {
    const items = chromaprint(samples, queryRate);
    const candidates = references
      .map(({ id, items: reference }) => ({ id, ...bestAlignment(items, reference) }))
      .sort((a, b) => a.errors - b.errors)
      .slice(0, 3)
      .map(({ id, errors, offset }) => ({ id, confidence: 1 - errors, offsetMs: offset * itemMilliseconds }));
    return { accepted: false, candidates };
  };
  return {
    name: "chromaprint",
    description: `${references.length} recordings at all offsets, ${version.stdout.trim()}`,
    ask: (queries) => queries.map(({ samples }) => ask(samples)),
  };
}

/** The 32-bit items of a sound; empty where it is too short for fpcalc. */
function chromaprint(samples: Float32Array, sampleRate: number): Uint32Array {
  return inScratch((scratch) => {
    const file = join(scratch, "sound.wav");
    writeFileSync(file, encodeWav(samples, { sampleRate, channels: 1, encoding: "s16" }));
    // Debian's fpcalc 1.5.1 ends with status 3 at the end of every file, after it has printed the fingerprint.
    const text = spawnSync("fpcalc", ["-raw", "-length", "0", file], { encoding: "utf8" }).stdout ?? "";
    const list = /FINGERPRINT=([\d,-]+)/.exec(text)?.[1];
    return list === undefined ? new Uint32Array(0) : Uint32Array.from(list.split(","), Number);
  });
}

function bitsOf(word: number): number {
  let x = word - ((word >>> 1) & 0x5555_5555);
  x = (x & 0x3333_3333) + ((x >>> 2) & 0x3333_3333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** The least share of different bits over all alignments, and where. */
function bestAlignment(query: Uint32Array, reference: Uint32Array): { errors: number; offset: number } {
  const shared = Math.min(leastShared, query.length);
  let best = { errors: 1, offset: 0 };
  if (shared === 0) return best;
  for (let offset = shared - query.length; offset <= reference.length - shared; offset++) {
    const from = Math.max(0, -offset);
    const to = Math.min(query.length, reference.length - offset);
    let wrong = 0;
    for (let i = from; i < to; i++) wrong += bitsOf(query[i]! ^ reference[i + offset]!);
    const errors = wrong / (32 * (to - from));
    if (errors < best.errors) best = { errors, offset };
  }
  return best;
}
