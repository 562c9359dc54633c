import type { Embeddings } from "./embedder.ts";
import { NeuralError } from "./errors.ts";

/** How two recordings are compared. */
export type EmbeddingComparison = "mean" | "sliding" | "dtw";

/** How alike two recordings are. */
export interface EmbeddingMatch {
  /** True if `similarity` reaches the threshold. */
  readonly matches: boolean;
  /** -1 to 1: the cosine of the means, the best mean cosine along an alignment, or 1 less the mean cost of the best warping. */
  readonly similarity: number;
  /** Where the query begins in the reference, ms; negative where it begins before it. 0 for `mean`. */
  readonly offsetMs: number;
  /** Duration of the query to that of the reference, for `dtw`; 1 otherwise. */
  readonly timeScale: number;
}

/** Options of {@link matchEmbeddings}. */
export interface MatchEmbeddingsOptions {
  /** Default `sliding`. */
  readonly comparison?: EmbeddingComparison;
  /** Cosine that counts as a match; it depends on the model. Default 0.80. */
  readonly threshold?: number;
}

/** Cells of a warping; more would take seconds. */
const maxWarpCells = 2 ** 26;

/**
 * Compares the embeddings of two recordings. `mean` compares what they are like as a whole; `sliding` looks for the place in the
 * reference where the query fits best, window against window; `dtw` warps time (dynamic time warping, cost 1 - cosine, steps one
 * window on in either or both, sum of costs by the longer one's length).
 * @throws NeuralError `neural/input` for embeddings of different models, `neural/settings`
 */
export function matchEmbeddings(
  query: Embeddings,
  reference: Embeddings,
  options: MatchEmbeddingsOptions = {},
): EmbeddingMatch {
  const { comparison = "sliding", threshold = 0.8 } = options;
  if (query.dimension !== reference.dimension || query.perSecond !== reference.perSecond) {
    throw new NeuralError(
      "neural/input",
      `Embeddings of ${query.dimension} and ${reference.dimension} values at ${query.perSecond} and ${reference.perSecond} a second cannot be compared.`,
    );
  }
  if (!(threshold >= -1 && threshold <= 1)) {
    throw new NeuralError("neural/settings", `threshold must be -1 to 1, not ${threshold}.`);
  }
  const found = comparisons[comparison](query, reference);
  return { ...found, matches: found.similarity >= threshold };
}

type Found = Omit<EmbeddingMatch, "matches">;

const comparisons: Readonly<Record<EmbeddingComparison, (a: Embeddings, b: Embeddings) => Found>> = {
  mean: (query, reference) => ({
    similarity: cosine(meanOf(query), 0, meanOf(reference), 0, query.dimension),
    offsetMs: 0,
    timeScale: 1,
  }),
  sliding,
  dtw,
};

const countOf = ({ vectors, dimension }: Embeddings): number => vectors.length / dimension;

/** The best mean cosine along a diagonal, over at least half of the shorter one. */
function sliding(query: Embeddings, reference: Embeddings): Found {
  const { dimension } = query;
  const [m, n] = [countOf(query), countOf(reference)];
  const least = Math.max(1, Math.ceil(Math.min(m, n) / 2));
  let best: Found = { similarity: -1, offsetMs: 0, timeScale: 1 };
  for (let shift = least - m; shift <= n - least; shift++) {
    const [from, to] = [Math.max(0, -shift), Math.min(m, n - shift)];
    let sum = 0;
    for (let i = from; i < to; i++) {
      sum += cosine(query.vectors, i * dimension, reference.vectors, (i + shift) * dimension, dimension);
    }
    const similarity = sum / (to - from);
    const offsetMs = Math.round((shift * 1000) / query.perSecond);
    if (similarity > best.similarity) best = { similarity, offsetMs, timeScale: 1 };
  }
  return best;
}

function dtw(query: Embeddings, reference: Embeddings): Found {
  const { dimension } = query;
  const [m, n] = [countOf(query), countOf(reference)];
  if (m * n > maxWarpCells) {
    throw new NeuralError(
      "neural/settings",
      `${m} by ${n} windows are too many for dtw; compare them with sliding.`,
    );
  }
  let before = new Float64Array(n + 1).fill(Number.POSITIVE_INFINITY);
  let row = new Float64Array(n + 1);
  before[0] = 0;
  for (let i = 0; i < m; i++) {
    row[0] = Number.POSITIVE_INFINITY;
    for (let k = 0; k < n; k++) {
      const cost = 1 - cosine(query.vectors, i * dimension, reference.vectors, k * dimension, dimension);
      row[k + 1] = cost + Math.min(before[k]!, before[k + 1]!, row[k]!);
    }
    [before, row] = [row, before];
  }
  return { similarity: 1 - before[n]! / Math.max(m, n), offsetMs: 0, timeScale: m / n };
}

function meanOf({ vectors, dimension }: Embeddings): Float32Array {
  const sums = new Float64Array(dimension);
  for (let i = 0; i < vectors.length; i++) sums[i % dimension]! += vectors[i]!;
  return Float32Array.from(sums);
}

/** Cosine of two vectors; 0 where one of them is zero. */
function cosine(a: Float32Array, aStart: number, b: Float32Array, bStart: number, count: number): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const [x, y] = [a[aStart + i]!, b[bStart + i]!];
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa > 0 && bb > 0 ? dot / Math.sqrt(aa * bb) : 0;
}
