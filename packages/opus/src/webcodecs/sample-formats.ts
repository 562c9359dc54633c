/** Sample formats of WebCodecs. */
export type AudioSampleFormat =
  | "u8"
  | "s16"
  | "s32"
  | "f32"
  | "u8-planar"
  | "s16-planar"
  | "s32-planar"
  | "f32-planar";

export type SampleArray = Uint8Array | Int16Array | Int32Array | Float32Array;

type SampleKind = "u8" | "s16" | "s32" | "f32";

const bytesOf: Readonly<Record<SampleKind, number>> = { u8: 1, s16: 2, s32: 4, f32: 4 };

export function isSampleFormat(value: unknown): value is AudioSampleFormat {
  return typeof value === "string" && value.replace(/-planar$/, "") in bytesOf;
}

export function isPlanar(format: AudioSampleFormat): boolean {
  return format.endsWith("-planar");
}

export function kindOf(format: AudioSampleFormat): SampleKind {
  return format.replace("-planar", "") as SampleKind;
}

export function bytesPerSample(format: AudioSampleFormat): number {
  return bytesOf[kindOf(format)];
}

/** A typed array over `bytes` from `offset` on; the bytes are copied where they do not lie on a sample's boundary. */
export function sampleView(
  buffer: ArrayBufferLike,
  offset: number,
  count: number,
  kind: SampleKind,
): SampleArray {
  const aligned = offset % bytesOf[kind] === 0;
  const from = aligned ? buffer : buffer.slice(offset, offset + count * bytesOf[kind]);
  const at = aligned ? offset : 0;
  if (kind === "u8") return new Uint8Array(from, at, count);
  if (kind === "s16") return new Int16Array(from, at, count);
  if (kind === "s32") return new Int32Array(from, at, count);
  return new Float32Array(from, at, count);
}

/** A stored sample as a float: integers divided by 2^(bits - 1), bytes around 128. */
export function toFloat(value: number, kind: SampleKind): number {
  if (kind === "f32") return value;
  if (kind === "s16") return value / 32_768;
  if (kind === "s32") return value / 2_147_483_648;
  return (value - 128) / 128;
}

/** The reverse: rounded half up, clipped; NaN is silence. */
export function fromFloat(value: number, kind: SampleKind): number {
  if (kind === "f32") return value;
  if (Number.isNaN(value)) return kind === "u8" ? 128 : 0;
  if (kind === "s16") return Math.min(32_767, Math.max(-32_768, Math.round(value * 32_768)));
  if (kind === "s32")
    return Math.min(2_147_483_647, Math.max(-2_147_483_648, Math.round(value * 2_147_483_648)));
  return Math.min(255, Math.max(0, Math.round(value * 128) + 128));
}
