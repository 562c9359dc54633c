import { OpusDecoder } from "./decoder.ts";
import type { Bandwidth, OpusDecoderOptions } from "./decoder-options.ts";
import { errorOfCode, OpusError } from "./errors.ts";
import { checkRange, checkUsable, longestPacketMs } from "./packet-buffers.ts";

/** How the streams of a multistream packet become output channels (RFC 7845 section 5.1.1, RFC 8486). */
export interface OpusMultistreamLayout {
  /** Output channels, 1 to 255. */
  readonly channels: number;
  /** Opus streams in each packet. */
  readonly streams: number;
  /** The first so many streams are stereo. */
  readonly coupled: number;
  /** Per output channel the stream channel, 255 = silence. Coupled streams count twice. */
  readonly mapping: Uint8Array;
  /** Family 3: `channels` rows by `streams + coupled` columns, Q15, column by column; replaces the mapping. */
  readonly demixingMatrix?: Int16Array;
}

export type OpusMultistreamDecoderOptions = Omit<OpusDecoderOptions, "channels"> & OpusMultistreamLayout;

type Pcm = Float32Array | Int16Array | Int32Array;

const silent = 255;
const magic = 0x4d53574c; // "LWSM"
const envelopeBytes = 12;

/**
 * Decoder for streams of more than two channels: several Opus streams in one packet, mapping families 0, 1, 2, 3 and 255.
 * Methods are those of `OpusDecoder`.
 */
export class OpusMultistreamDecoder implements Disposable {
  readonly sampleRate: number;
  readonly channels: number;
  readonly streams: number;
  readonly coupled: number;
  /** Whether 16-bit output is soft-clipped, stream by stream. */
  softClip: boolean;
  readonly #options: OpusMultistreamDecoderOptions;
  readonly #mapping: Uint8Array;
  readonly #matrix: Int16Array | undefined;
  readonly #decoders: OpusDecoder[] = [];
  /** Output of one stream: 120 ms of stereo. */
  readonly #scratch: Float32Array;
  readonly #digest: Uint32Array = new Uint32Array(4);

  /** @throws OpusError `opus/bad-argument` for a layout that contradicts itself, `opus/out-of-slots` */
  constructor(options: OpusMultistreamDecoderOptions) {
    checkLayout(options);
    this.#options = options;
    this.sampleRate = options.sampleRate ?? 48000;
    this.channels = options.channels;
    this.streams = options.streams;
    this.coupled = options.coupled;
    this.#mapping = options.mapping.slice();
    this.#matrix = options.demixingMatrix?.slice();
    const longest = (this.sampleRate * longestPacketMs) / 1000;
    this.#scratch = new Float32Array(longest * 2);
    this.softClip = options.softClip ?? true;
    const { core, sampleRate, gainQ8, phaseInversionDisabled, ignoreExtensions } = options;
    try {
      for (let stream = 0; stream < this.streams; stream++) {
        this.#decoders.push(
          new OpusDecoder({
            channels: stream < this.coupled ? 2 : 1,
            ...(core && { core }),
            ...(sampleRate && { sampleRate }),
            ...(gainQ8 !== undefined && { gainQ8 }),
            ...(phaseInversionDisabled !== undefined && { phaseInversionDisabled }),
            ...(ignoreExtensions !== undefined && { ignoreExtensions }),
          }),
        );
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Decodes a packet to interleaved float samples; null or empty: lost, `frames` are concealed.
   *
   * @returns sample frames per channel
   */
  decode(packet: Uint8Array | null, pcm: Float32Array, frames?: number): number {
    return this.#checked(this.tryDecode(packet, pcm, frames));
  }

  /** As `decode`, but a bad packet gives a negative libopus code instead of an exception. */
  tryDecode(packet: Uint8Array | null, pcm: Float32Array, frames?: number): number {
    checkUsable(pcm);
    return this.#run(packet, pcm, frames, false, false);
  }

  /**
   * As `decode`, to 16-bit samples: per stream soft clip where on, round half to even, saturate. A demixing matrix is then
   * applied to the integers, as libopus does: each product is rounded by itself, and sums beyond 16 bits wrap.
   */
  decodeInt16(packet: Uint8Array | null, pcm: Int16Array, frames?: number): number {
    checkUsable(pcm);
    return this.#checked(this.#run(packet, pcm, frames, false, true));
  }

  /** As `decode`, to 24-bit samples in 32-bit integers (full scale 2^23), not clipped; a matrix works on the integers. */
  decodeInt24(packet: Uint8Array | null, pcm: Int32Array, frames?: number): number {
    checkUsable(pcm);
    return this.#checked(this.#run(packet, pcm, frames, false, false));
  }

  /**
   * Decodes `length` bytes at `at` of a larger buffer into `pcm` from sample `pcmAt` on, at most `capacity` sample frames, so
   * that no view is made per call.
   */
  decodeAt(
    packet: Uint8Array,
    at: number,
    length: number,
    pcm: Float32Array | Int16Array,
    pcmAt: number,
    capacity: number,
  ): number {
    checkUsable(packet);
    checkUsable(pcm);
    checkRange(packet.length, at, length, pcmAt, capacity);
    if (pcmAt + capacity * this.channels > pcm.length) return this.#checked(-2);
    const clip = pcm instanceof Int16Array;
    return this.#checked(this.#decode(packet, at, length, pcm, pcmAt, capacity, false, clip));
  }

  /** The `frames` before `packet` from its redundancy; concealment where it has none. */
  decodeFec(packet: Uint8Array, pcm: Float32Array, frames: number): number {
    checkUsable(pcm);
    return this.#checked(this.#run(packet, pcm, frames, true, false));
  }

  /** As `decodeFec`, to 16-bit samples; not soft-clipped, as libopus. */
  decodeFecInt16(packet: Uint8Array, pcm: Int16Array, frames: number): number {
    checkUsable(pcm);
    return this.#checked(this.#run(packet, pcm, frames, true, false));
  }

  /** Gain of the output in 1/256 dB, -32768..32767. */
  get gainQ8(): number {
    return this.#first().gainQ8;
  }

  set gainQ8(value: number) {
    for (const decoder of this.#decoders) decoder.gainQ8 = value;
  }

  /** Whether the phase inversion of intensity stereo is ignored. */
  get phaseInversionDisabled(): boolean {
    return this.#first().phaseInversionDisabled;
  }

  set phaseInversionDisabled(value: boolean) {
    for (const decoder of this.#decoders) decoder.phaseInversionDisabled = value;
  }

  /** Whether packet extensions are ignored. */
  get ignoreExtensions(): boolean {
    return this.#first().ignoreExtensions;
  }

  set ignoreExtensions(value: boolean) {
    for (const decoder of this.#decoders) decoder.ignoreExtensions = value;
  }

  /** Bandwidth of the first stream's last packet; undefined before it. */
  get bandwidth(): Bandwidth | undefined {
    return this.#first().bandwidth;
  }

  /** Final ranges of all streams, exclusive-ored, as libopus reports them. */
  get finalRange(): number {
    let range = 0;
    for (const decoder of this.#decoders) range ^= decoder.finalRange;
    return range >>> 0;
  }

  /** Sample frames per channel of the last packet. */
  get lastPacketFrames(): number {
    return this.#first().lastPacketFrames;
  }

  /** The decoder of one stream, for its properties. */
  stream(index: number): OpusDecoder {
    const decoder = this.#decoders[index];
    if (decoder !== undefined) return decoder;
    throw new OpusError("opus/bad-argument", `Stream ${index} does not exist; there are ${this.streams}.`);
  }

  /** Upper bound of what `snapshot` writes. */
  get snapshotBytes(): number {
    return envelopeBytes + this.streams * (4 + this.#first().snapshotBytes);
  }

  /** All streams' snapshots in an envelope: "LWSM", u32 version 1, u32 streams, then u32 length and image for each. */
  snapshot(into: Uint8Array, sections: "all" | "live" = "all"): number {
    if (into.length < this.snapshotBytes) {
      throw new OpusError(
        "opus/buffer-too-small",
        `The snapshot may need ${this.snapshotBytes} bytes, the buffer has ${into.length}.`,
      );
    }
    const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
    view.setUint32(0, magic, true);
    view.setUint32(4, 1, true);
    view.setUint32(8, this.streams, true);
    let at = envelopeBytes;
    for (const decoder of this.#decoders) {
      const bytes = decoder.snapshot(into.subarray(at + 4), sections);
      view.setUint32(at, bytes, true);
      at += 4 + bytes;
    }
    return at;
  }

  /** Takes up a snapshot; a refused one changes nothing. */
  restore(from: Uint8Array): void {
    const images = this.#splitSnapshot(from);
    const before = this.#decoders.map((decoder) => decoder.clone());
    try {
      this.#decoders.forEach((decoder, stream) => {
        decoder.restore(images[stream]!);
      });
    } catch (error) {
      this.#decoders.forEach((decoder, stream) => {
        decoder.copyFrom(before[stream]!);
      });
      throw error;
    } finally {
      for (const decoder of before) decoder.close();
    }
  }

  /** A second decoder in the same state. */
  clone(): OpusMultistreamDecoder {
    const twin = new OpusMultistreamDecoder(this.#options);
    twin.softClip = this.softClip;
    try {
      twin.copyFrom(this);
    } catch (error) {
      twin.close();
      throw error;
    }
    return twin;
  }

  /** Takes over the state of another decoder of the same layout. */
  copyFrom(other: OpusMultistreamDecoder): void {
    if (other.streams !== this.streams || other.coupled !== this.coupled) {
      throw new OpusError("opus/bad-argument", "The other decoder has another number of streams.");
    }
    this.#decoders.forEach((decoder, stream) => {
      decoder.copyFrom(other.#decoders[stream]!);
    });
  }

  /** Four words over the live states of all streams. */
  liveStateDigest(into: Uint32Array): void {
    this.#first().liveStateDigest(into);
    for (let stream = 1; stream < this.streams; stream++) {
      this.#decoders[stream]!.liveStateDigest(this.#digest);
      for (let i = 0; i < 4; i++) into[i] = Math.imul(into[i]! ^ this.#digest[i]!, 0x9e3779b1) + stream;
    }
  }

  reset(): void {
    for (const decoder of this.#decoders) decoder.reset();
  }

  close(): void {
    for (const decoder of this.#decoders) decoder.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #first(): OpusDecoder {
    return this.#decoders[0]!;
  }

  #run(packet: Uint8Array | null, pcm: Pcm, frames: number | undefined, fec: boolean, clip: boolean): number {
    if (packet !== null) checkUsable(packet);
    const longest = (this.sampleRate * longestPacketMs) / 1000;
    let room = Math.min(longest, Math.floor(pcm.length / this.channels));
    const lost = packet === null || packet.length === 0;
    if (lost || fec) {
      const wanted = frames ?? (this.lastPacketFrames || this.sampleRate / 50);
      if (!(wanted > 0 && wanted % (this.sampleRate / 400) === 0 && wanted <= longest)) return -1;
      if (wanted > room) return -2;
      room = wanted;
    }
    return this.#decode(packet, 0, lost ? 0 : packet.length, pcm, 0, room, fec, clip);
  }

  /** `length` bytes of the packet from `from` on (0 = lost) into `pcm` from `base` on, at most `capacity` frames. */
  #decode(
    packet: Uint8Array | null,
    from: number,
    length: number,
    pcm: Pcm,
    base: number,
    capacity: number,
    fec: boolean,
    clip: boolean,
  ): number {
    let room = Math.min(capacity, (this.sampleRate * longestPacketMs) / 1000);
    if (packet !== null && length > 0) {
      const verdict = this.#validate(packet, from, length, room);
      if (verdict < 0) return verdict;
    }
    let at = 0;
    for (let stream = 0; stream < this.streams; stream++) {
      const decoder = this.#decoders[stream]!;
      const result = decoder.decodeStream(
        at,
        length - at,
        stream !== this.streams - 1,
        this.#scratch,
        room,
        fec,
        clip && this.softClip,
      );
      if (result <= 0) return result;
      if (length > 0) at += decoder.lastStreamBytes;
      room = result;
      this.#mix(stream, pcm, base, room);
    }
    if (this.#matrix === undefined) this.#silence(pcm, base, room);
    return room;
  }

  /** All streams must be whole and of one duration before any of them is decoded. */
  #validate(packet: Uint8Array, from: number, length: number, room: number): number {
    const core = OpusDecoder.coreOf(this.#first());
    if (length > core.packetCapacity || length < 2 * this.streams - 1) return -4;
    if (from === 0 && length === packet.length) core.putPacket(packet);
    else core.putPacketRange(packet, from, length);
    let at = 0;
    let duration = 0;
    for (let stream = 0; stream < this.streams; stream++) {
      const left = length - at;
      if (left <= 0) return -4;
      const frames48k = core.exports.parse(at, left, stream !== this.streams - 1 ? 1 : 0);
      if (frames48k < 0) return frames48k;
      if (stream > 0 && frames48k !== duration) return -4;
      duration = frames48k;
      at += core.exports.lastPacketBytes();
    }
    return (duration * this.sampleRate) / 48000 > room ? -2 : 0;
  }

  /** Adds or copies a decoded stream to the output channels that want it. */
  #mix(stream: number, pcm: Pcm, base: number, frames: number): void {
    const width = stream < this.coupled ? 2 : 1;
    const firstSource = stream < this.coupled ? 2 * stream : stream + this.coupled;
    if (pcm instanceof Int16Array) toIntegers(this.#scratch, frames * width, 32768, 32767);
    else if (pcm instanceof Int32Array) toIntegers(this.#scratch, frames * width, 8388608, 2147483647);
    if (this.#matrix !== undefined && stream === 0) pcm.fill(0, base, base + frames * this.channels);
    for (let channel = 0; channel < width; channel++) {
      const source = firstSource + channel;
      if (this.#matrix !== undefined) {
        if (pcm instanceof Float32Array) this.#demix(source, channel, width, pcm, base, frames);
        else this.#demixIntegers(source, channel, width, pcm, base, frames);
        continue;
      }
      for (let output = 0; output < this.channels; output++) {
        if (this.#mapping[output] === source) this.#copy(channel, width, pcm, base + output, frames);
      }
    }
  }

  #copy(channel: number, width: number, pcm: Pcm, start: number, frames: number): void {
    for (let i = 0; i < frames; i++) pcm[i * this.channels + start] = this.#scratch[i * width + channel]!;
  }

  /** Adds a stream channel times its column of the matrix. */
  #demix(
    source: number,
    channel: number,
    width: number,
    pcm: Float32Array,
    base: number,
    frames: number,
  ): void {
    const rows = this.channels;
    const matrix = this.#matrix!;
    for (let row = 0; row < rows; row++) {
      const gain = matrix[source * rows + row]! / 32768;
      for (let i = 0; i < frames; i++) {
        const at = base + i * rows + row;
        pcm[at] = pcm[at]! + Math.fround(gain * this.#scratch[i * width + channel]!);
      }
    }
  }

  /** The same on integers: Q15 products rounded half up; the sums wrap in the output array. */
  #demixIntegers(
    source: number,
    channel: number,
    width: number,
    pcm: Int16Array | Int32Array,
    base: number,
    frames: number,
  ): void {
    const rows = this.channels;
    const matrix = this.#matrix!;
    for (let row = 0; row < rows; row++) {
      const gain = matrix[source * rows + row]!;
      for (let i = 0; i < frames; i++) {
        const at = base + i * rows + row;
        pcm[at] = pcm[at]! + Math.floor((gain * this.#scratch[i * width + channel]! + 16384) / 32768);
      }
    }
  }

  #silence(pcm: Pcm, base: number, frames: number): void {
    for (let output = 0; output < this.channels; output++) {
      if (this.#mapping[output] !== silent) continue;
      for (let i = 0; i < frames; i++) pcm[base + i * this.channels + output] = 0;
    }
  }

  #splitSnapshot(from: Uint8Array): Uint8Array[] {
    const bad = () => new OpusError("opus/bad-snapshot", "The bytes are no valid snapshot of this layout.");
    if (from.length < envelopeBytes) throw bad();
    const view = new DataView(from.buffer, from.byteOffset, from.byteLength);
    if (view.getUint32(0, true) !== magic || view.getUint32(4, true) !== 1) throw bad();
    if (view.getUint32(8, true) !== this.streams) throw bad();
    const images: Uint8Array[] = [];
    let at = envelopeBytes;
    for (let stream = 0; stream < this.streams; stream++) {
      if (at + 4 > from.length) throw bad();
      const bytes = view.getUint32(at, true);
      if (bytes > from.length - at - 4) throw bad();
      images.push(from.subarray(at + 4, at + 4 + bytes));
      at += 4 + bytes;
    }
    if (at !== from.length) throw bad();
    return images;
  }

  #checked(result: number): number {
    if (result >= 0) return result;
    throw errorOfCode(result, `Packet of ${this.streams} streams`);
  }
}

/** Scales samples to integers in place, rounded half to even; a float holds every such integer exactly. */
function toIntegers(samples: Float32Array, count: number, scale: number, max: number): void {
  for (let i = 0; i < count; i++) {
    samples[i] = Math.min(max, Math.max(-max - 1, roundHalfToEven(samples[i]! * scale)));
  }
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

function checkLayout(layout: OpusMultistreamLayout): void {
  const { channels, streams, coupled, mapping, demixingMatrix } = layout;
  const whole = (value: number, from: number, to: number) =>
    Number.isInteger(value) && value >= from && value <= to;
  const sources = streams + coupled;
  if (!whole(channels, 1, 255) || !whole(streams, 1, 255) || !whole(coupled, 0, streams) || sources > 255) {
    throw new OpusError(
      "opus/bad-argument",
      `${channels} channels of ${streams} streams, ${coupled} of them coupled, is no layout: 1 to 255 each, coupled at most streams, 255 stream channels in all.`,
    );
  }
  if (demixingMatrix !== undefined) {
    if (demixingMatrix.length === channels * sources) return;
    throw new OpusError(
      "opus/bad-argument",
      `The demixing matrix has ${demixingMatrix.length} values, ${channels} x ${sources} are needed.`,
    );
  }
  if (mapping.length !== channels || mapping.some((source) => source !== silent && source >= sources)) {
    throw new OpusError(
      "opus/bad-argument",
      `The mapping must have ${channels} entries, each 255 or below ${sources}.`,
    );
  }
}
