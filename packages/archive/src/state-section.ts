import { decodeSeeds, encodeSeeds } from "./seed-columns.ts";
import type { SeededStart } from "./seeded-start.ts";
import type { StateDifference } from "./state-difference.ts";
import { readVarints, varintSize, writeVarint } from "./varint.ts";

/** States of SILK are below this; their integers deflate better as they are, the floats of CELT by lanes. */
const plainStateBytes = 8192;

/** What a chunk stores of decoder states, by point number. */
export interface StoredStates {
  /** Saved decoder states. */
  readonly states: ReadonlyMap<number, Uint8Array>;
  /** Saved states that are told by their difference to what a short run-up gives. */
  readonly differences: ReadonlyMap<number, StateDifference>;
  /** Starts that take a few words of the state and some packets. */
  readonly seeds: ReadonlyMap<number, SeededStart>;
}

/**
 * Four-byte lanes apart; as it is; u16 run-up and a difference (StateDifference) that is not coded, of live states in an older form, of live or of
 * whole ones; all seeds, with their count for the point; all coded differences, likewise.
 */
const stateForms = {
  lanes: 0,
  plain: 1,
  olderDifference: 2,
  difference: 3,
  wholeDifference: 4,
  seeds: 5,
  codedDifferences: 6,
} as const;
/** Of the states whose differences are `olderDifference`. */
const olderStateVersion = 2;

/** Which forms a section may hold: those of the first two versions, `seeds` and what came with them, or `codedDifferences` too. */
export type StateForms = "older" | "seeds" | "coded";

/** What a program has to know to read these states. */
export function formsOf({ states, differences, seeds }: StoredStates): StateForms {
  const told = [...differences.values()];
  if (told.some(({ coded }) => coded === true)) return "coded";
  return seeds.size > 0 || states.size > 0 || told.some(({ version }) => version === undefined)
    ? "seeds"
    : "older";
}

/** Per state: u16 point, u16 form, u32 bytes, then the bytes. */
export function encodeStates({ states, differences, seeds }: StoredStates): Uint8Array {
  const entries: [point: number, form: number, bytes: Uint8Array][] = [];
  for (const [point, state] of states) {
    if (state.length < plainStateBytes) entries.push([point, stateForms.plain, state]);
    else {
      const lanes = new Uint8Array(state.length);
      shuffle(state, lanes);
      entries.push([point, stateForms.lanes, lanes]);
    }
  }
  const coded = [...differences].filter(([, difference]) => difference.coded === true);
  for (const [point, { runUp, bytes, whole, version, coded }] of differences) {
    if (coded === true) continue;
    const current = whole ? stateForms.wholeDifference : stateForms.difference;
    const form = version === undefined ? current : stateForms.olderDifference;
    const stored = new Uint8Array(2 + bytes.length);
    stored.set([runUp, runUp >> 8]);
    stored.set(bytes, 2);
    entries.push([point, form, stored]);
  }
  entries.sort((a, b) => a[0] - b[0]);
  if (coded.length > 0)
    entries.push([coded.length, stateForms.codedDifferences, encodeCodedDifferences(coded)]);
  if (seeds.size > 0) entries.push([seeds.size, stateForms.seeds, encodeSeeds(seeds)]);
  const bytes = new Uint8Array(entries.reduce((sum, entry) => sum + 8 + entry[2].length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [point, form, stored] of entries) {
    view.setUint16(at, point, true);
    view.setUint16(at + 2, form, true);
    view.setUint32(at + 4, stored.length, true);
    bytes.set(stored, at + 8);
    at += 8 + stored.length;
  }
  return bytes;
}

/** The inverse; undefined where the bytes are no such section, or hold a form that does not belong there. */
export function decodeStates(bytes: Uint8Array, forms: StateForms): StoredStates | undefined {
  const isNew = forms !== "older";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const states = new Map<number, Uint8Array>();
  const differences = new Map<number, StateDifference>();
  let seeds: ReadonlyMap<number, SeededStart> = new Map();
  let at = 0;
  while (at < bytes.length) {
    if (at + 8 > bytes.length) return undefined;
    const point = view.getUint16(at, true);
    const form = view.getUint16(at + 2, true);
    const size = view.getUint32(at + 4, true);
    if (size > bytes.length - at - 8) return undefined;
    const isSeeds = isNew && form === stateForms.seeds && seeds.size === 0;
    const isCoded = forms === "coded" && form === stateForms.codedDifferences;
    if (!isSeeds && !isCoded && (states.has(point) || differences.has(point))) return undefined;
    const stored = bytes.slice(at + 8, at + 8 + size);
    if (isSeeds) {
      const decoded = decodeSeeds(stored, point);
      if (decoded === undefined) return undefined;
      seeds = decoded;
    } else if (isCoded) {
      const coded = decodeCodedDifferences(stored, point);
      if (coded === undefined) return undefined;
      for (const [number, difference] of coded) {
        if (states.has(number) || differences.has(number)) return undefined;
        differences.set(number, difference);
      }
    } else if (form === stateForms.plain) states.set(point, stored);
    else if (form === stateForms.lanes) {
      const state = new Uint8Array(size);
      unshuffle(stored, state);
      states.set(point, state);
    } else if (size >= 2 && form === stateForms.olderDifference) {
      const runUp = view.getUint16(at + 8, true);
      const bytes = stored.subarray(2);
      differences.set(point, { runUp, bytes, whole: false, version: olderStateVersion });
    } else if (
      isNew &&
      size >= 2 &&
      (form === stateForms.difference || form === stateForms.wholeDifference)
    ) {
      const whole = form === stateForms.wholeDifference;
      differences.set(point, { runUp: view.getUint16(at + 8, true), bytes: stored.subarray(2), whole });
    } else return undefined;
    at += 8 + size;
  }
  return { states, differences, seeds };
}

/** Varints of each difference: its point minus the one before, run-up, packets behind the state, bytes; in front of them their length as u16. Then the bytes. */
const headFields = 4;

function encodeCodedDifferences(differences: readonly (readonly [number, StateDifference])[]): Uint8Array {
  const sorted = [...differences].sort((a, b) => a[0] - b[0]);
  let before = 0;
  const fields = sorted.flatMap(([point, { runUp, settle = 0, bytes }]) => {
    const step = point - before;
    before = point;
    return [step, runUp, settle, bytes.length];
  });
  const headBytes = fields.reduce((sum, field) => sum + varintSize(field), 0);
  const size = sorted.reduce((sum, [, { bytes }]) => sum + bytes.length, 2 + headBytes);
  const stored = new Uint8Array(size);
  stored.set([headBytes, headBytes >> 8]);
  let at = 2;
  for (const field of fields) at = writeVarint(stored, at, field);
  for (const [, { bytes }] of sorted) {
    stored.set(bytes, at);
    at += bytes.length;
  }
  return stored;
}

function decodeCodedDifferences(stored: Uint8Array, count: number): Map<number, StateDifference> | undefined {
  if (stored.length < 2) return undefined;
  let at = 2 + (stored[0]! | (stored[1]! << 8));
  const fields = readVarints(stored.subarray(2, at), headFields * count);
  if (fields === undefined) return undefined;
  const differences = new Map<number, StateDifference>();
  let point = 0;
  for (let i = 0; i < fields.length; i += headFields) {
    const [step, runUp, settle, size] = [fields[i]!, fields[i + 1]!, fields[i + 2]!, fields[i + 3]!];
    point += step;
    if ((i > 0 && step === 0) || point > 0xffff || runUp > 0xffff || settle > runUp) return undefined;
    if (size > stored.length - at) return undefined;
    differences.set(point, {
      runUp,
      settle,
      bytes: stored.subarray(at, at + size),
      whole: false,
      coded: true,
    });
    at += size;
  }
  return at === stored.length ? differences : undefined;
}

function shuffle(from: Uint8Array, into: Uint8Array): void {
  const words = from.length >> 2;
  for (let i = 0; i < words; i++)
    for (let lane = 0; lane < 4; lane++) into[lane * words + i] = from[4 * i + lane]!;
  for (let i = 4 * words; i < from.length; i++) into[i] = from[i]!;
}

function unshuffle(from: Uint8Array, into: Uint8Array): void {
  const words = from.length >> 2;
  for (let i = 0; i < words; i++)
    for (let lane = 0; lane < 4; lane++) into[4 * i + lane] = from[lane * words + i]!;
  for (let i = 4 * words; i < from.length; i++) into[i] = from[i]!;
}
