import { signal } from "@preact/signals";
import { request } from "../api.ts";

/** A peak of the identification: time in ms of the sound, Hz, level 0 to 255. */
export interface Peak {
  readonly atMs: number;
  readonly hz: number;
  readonly level: number;
}

/** Form of the picture, from the stream's first message. */
export interface ScopeForm {
  readonly rows: number;
  readonly columnMs: number;
  readonly lowHz: number;
  readonly highHz: number;
}

/** The newest picture: a ring of columns, and the peaks inside it. Plain data, read by the drawing loop. */
export const scope = {
  form: undefined as ScopeForm | undefined,
  /** Columns in a ring; column k of the sound is at k % capacity. */
  levels: new Uint8Array(0),
  capacity: 2048,
  /** Columns received; the newest is number `count - 1`. */
  count: 0,
  newestMs: 0,
  peaks: [] as Peak[],
};

/** Peak (0 to 1) and RMS (0 to 1 on the picture's scale) of the newest column. */
export const level = signal({ peak: 0, rms: 0 });
export const peakCount = signal(0);

const columnType = 1;
const peakType = 2;
const keptPeaks = 6000;

/** Follows the live picture until it ends or `stop` aborts. Throws on a message that it does not understand. */
export async function followScope(streamId: string, stop: AbortSignal): Promise<void> {
  const response = await request(`/v1/streams/${encodeURIComponent(streamId)}/scope`, { signal: stop });
  const reader = response.body!.getReader();
  let rest = new Uint8Array(0);
  scope.form = undefined;
  scope.count = 0;
  scope.peaks = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const bytes = new Uint8Array(rest.length + value.length);
    bytes.set(rest);
    bytes.set(value, rest.length);
    rest = bytes.slice(parse(bytes));
  }
}

/** Takes all whole messages; returns how many bytes they had. */
function parse(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer);
  let at = 0;
  if (scope.form === undefined) {
    if (bytes.length < 12) return 0;
    if (view.getUint32(0) !== 0x4c575343 || view.getUint8(4) !== 1)
      throw new Error("Unknown picture format.");
    const rows = view.getUint8(5);
    scope.form = {
      rows,
      columnMs: view.getUint16(6, true),
      lowHz: view.getUint16(8, true),
      highHz: view.getUint16(10, true),
    };
    scope.levels = new Uint8Array(rows * scope.capacity);
    at = 12;
  }
  const { rows } = scope.form;
  while (at < bytes.length) {
    const type = bytes[at]!;
    const length = type === columnType ? 7 + rows : 8;
    if (type !== columnType && type !== peakType) throw new Error(`Unknown picture message ${type}.`);
    if (at + length > bytes.length) break;
    const atMs = view.getUint32(at + 1, true);
    if (type === columnType) {
      scope.levels.set(bytes.subarray(at + 7, at + 7 + rows), (scope.count % scope.capacity) * rows);
      scope.count++;
      scope.newestMs = atMs;
      level.value = { peak: bytes[at + 5]! / 255, rms: bytes[at + 6]! / 255 };
    } else {
      scope.peaks.push({ atMs, hz: view.getUint16(at + 5, true), level: bytes[at + 7]! });
      if (scope.peaks.length > keptPeaks) scope.peaks.splice(0, keptPeaks / 4);
      peakCount.value++;
    }
    at += length;
  }
  return at;
}
