import { allocateSlot, type CoreInstance, OpusCore, releaseSlot, sharedCore } from "./core.ts";
import type { Bandwidth, OpusDecoderOptions } from "./decoder-options.ts";
import { errorOfCode, OpusError } from "./errors.ts";
import { checkRange, checkUsable, longestPacketMs } from "./packet-buffers.ts";

const int16 = 1;
const int24 = 2;
const floats = 0;
type Format = typeof floats | typeof int16 | typeof int24;
type Pcm = Float32Array | Int16Array | Int32Array;

const bandwidths: readonly (Bandwidth | undefined)[] = [undefined, "nb", "mb", "wb", "swb", "fb"];
const sampleRates: readonly number[] = [8000, 12000, 16000, 24000, 48000];

const badArgument = -1;
const bufferTooSmall = -2;

/**
 * Opus decoder for mono and stereo streams (RFC 6716, RFC 8251), bit-identical to the scalar float build of libopus
 * 1.6.1. Output is interleaved, in buffers of the caller; nothing is allocated per call. One object belongs to one
 * thread.
 *
 * @example
 * const decoder = new OpusDecoder({ sampleRate: 48000, channels: 2 });
 * const pcm = new Float32Array(5760 * 2);
 * const frames = decoder.decode(packet, pcm);
 */
export class OpusDecoder implements Disposable {
  /** Name of the arithmetic: equal profiles give equal bits. */
  static readonly profile: "opus-1" = "opus-1";

  /** Rate of the output in Hz. */
  readonly sampleRate: number;
  /** Channels of the output. */
  readonly channels: number;
  /** Whether integer output is soft-clipped. */
  softClip: boolean;
  readonly #options: OpusDecoderOptions;
  readonly #core: CoreInstance;
  readonly #token: object = {};
  #slot: number;

  /**
   * @throws OpusError `opus/bad-argument` for options out of range, `opus/out-of-slots` where the core is full
   */
  constructor(options: OpusDecoderOptions = {}) {
    const sampleRate = options.sampleRate ?? 48000;
    const channels = options.channels ?? 2;
    if (!sampleRates.includes(sampleRate)) {
      throw new OpusError(
        "opus/bad-argument",
        `sampleRate is ${sampleRate}; Opus decodes to 8000, 12000, 16000, 24000 or 48000 Hz.`,
      );
    }
    if (channels !== 1 && channels !== 2) {
      throw new OpusError(
        "opus/bad-argument",
        `channels is ${channels}; give 1 or 2, or use OpusMultistreamDecoder for more.`,
      );
    }
    const complexity = options.complexity ?? 0;
    if (!(complexity >= 0 && complexity <= 10)) {
      throw new OpusError("opus/bad-argument", `complexity is ${complexity}; give 0 to 10.`);
    }
    this.sampleRate = sampleRate;
    this.channels = channels;
    this.softClip = options.softClip ?? true;
    this.#options = options;
    this.#core = OpusCore.instanceOf(options.core ?? sharedCore());
    checkGain(options.gainQ8 ?? 0);
    const { exports } = this.#core;
    this.#slot = allocateSlot(this.#core, exports.decoderSlotBytes(), this, this.#token);
    exports.decoderInit(this.#slot, sampleRate, channels);
    exports.setGain(this.#slot, options.gainQ8 ?? 0);
    if (options.phaseInversionDisabled !== undefined) {
      exports.setPhaseInversionDisabled(this.#slot, options.phaseInversionDisabled ? 1 : 0);
    }
    exports.setIgnoreExtensions(this.#slot, options.ignoreExtensions ? 1 : 0);
  }

  /**
   * Decodes a packet to float samples, nominally -1..1, never clipped.
   *
   * @param packet null or empty: the packet is lost, and `frames` are concealed
   * @param pcm interleaved output; longer than needed is fine (5760 frames hold any packet at 48 kHz)
   * @param frames of a lost packet: sample frames per channel, a multiple of 2.5 ms, at most 120 ms; default: the
   *   duration of the last packet, at first 20 ms. Of a packet: the most that may be written, above 0; default: what `pcm` holds
   * @returns sample frames per channel
   * @throws OpusError `opus/invalid-packet`, `opus/buffer-too-small` (the state has not changed), `opus/bad-argument`
   */
  decode(packet: Uint8Array | null, pcm: Float32Array, frames?: number): number {
    return this.#checked(this.#run(packet, pcm, frames, floats), packet, pcm);
  }

  /**
   * As `decode` where nobody wants the samples: the state becomes the same for about half the work in SILK, and nothing is copied. What soft
   * clipping carries over is not kept.
   *
   * @param packet null or empty: lost
   * @param frames as in `decode`; default: a packet may be as long as any
   * @returns sample frames per channel
   */
  follow(packet: Uint8Array | null, frames?: number): number {
    const slot = this.#openSlot();
    const core = this.#core;
    const longest = (this.sampleRate * longestPacketMs) / 1000;
    let result: number;
    if (packet === null || packet.length === 0) {
      const lost = frames ?? (core.exports.lastPacketFrames(slot) || this.sampleRate / 50);
      result = isLossDuration(lost, this.sampleRate) ? core.exports.conceal(slot, lost, floats) : badArgument;
    } else {
      core.putPacket(packet);
      const room = frames === undefined || frames > longest ? longest : frames;
      result = room > 0 ? core.exports.follow(slot, packet.length, room) : badArgument;
    }
    if (result < 0) throw errorOfCode(result, `Packet of ${packet?.length ?? 0} bytes`);
    return result;
  }

  /** As `decode`, to 16-bit samples: soft clip where on, round half to even, saturate. */
  decodeInt16(packet: Uint8Array | null, pcm: Int16Array, frames?: number): number {
    return this.#checked(this.#run(packet, pcm, frames, int16), packet, pcm);
  }

  /** As `decode`, to 24-bit samples in 32-bit integers (full scale 2^23), not clipped. */
  decodeInt24(packet: Uint8Array | null, pcm: Int32Array, frames?: number): number {
    return this.#checked(this.#run(packet, pcm, frames, int24), packet, pcm);
  }

  /** As `decode`, but a bad packet or call gives a negative libopus code (-1..-7) instead of an exception. */
  tryDecode(packet: Uint8Array | null, pcm: Float32Array, frames?: number): number {
    return this.#run(packet, pcm, frames, floats);
  }

  /**
   * Decodes the `frames` before `packet` from the redundancy (LBRR) that the packet carries; conceals where it has none or
   * is empty.
   *
   * @param frames sample frames per channel that were lost, a multiple of 2.5 ms
   */
  decodeFec(packet: Uint8Array, pcm: Float32Array, frames: number): number {
    return this.#checked(this.#runFec(packet, pcm, frames, floats), packet, pcm);
  }

  /** As `decodeFec`, to 16-bit samples. */
  decodeFecInt16(packet: Uint8Array, pcm: Int16Array, frames: number): number {
    return this.#checked(this.#runFec(packet, pcm, frames, int16), packet, pcm);
  }

  /**
   * Decodes `length` bytes at `at` of a larger buffer into `pcm` from `pcmAt` on, so that no view is made per call.
   *
   * @param pcmAt first sample to write; counts samples, not sample frames
   * @param capacity sample frames per channel that may be written
   */
  decodeAt(
    packet: Uint8Array,
    at: number,
    length: number,
    pcm: Float32Array | Int16Array,
    pcmAt: number,
    capacity: number,
  ): number {
    const slot = this.#openSlot();
    checkUsable(packet);
    checkUsable(pcm);
    checkRange(packet.length, at, length, pcmAt, capacity);
    if (pcmAt + capacity * this.channels > pcm.length) {
      throw new OpusError(
        "opus/buffer-too-small",
        `${capacity} frames at sample ${pcmAt} are not within the output of ${pcm.length} samples.`,
      );
    }
    const core = this.#core;
    core.putPacketRange(packet, at, length);
    const format = pcm instanceof Int16Array ? int16 : floats;
    const clip = this.softClip && format === int16 ? 1 : 0;
    const result = core.exports.decode(slot, 0, length, capacity, 0, 0, format, clip);
    if (result < 0) throw errorOfCode(result, `Packet of ${length} bytes`);
    const samples = result * this.channels;
    if (format === int16) (pcm as Int16Array).set(core.int16Output(samples), pcmAt);
    else (pcm as Float32Array).set(core.floatOutput(samples), pcmAt);
    return result;
  }

  /** Gain of the output in 1/256 dB, -32768..32767. */
  get gainQ8(): number {
    return this.#core.exports.gain(this.#openSlot());
  }

  set gainQ8(value: number) {
    checkGain(value);
    this.#core.exports.setGain(this.#openSlot(), value);
  }

  /** Whether the phase inversion of intensity stereo is ignored. */
  get phaseInversionDisabled(): boolean {
    return this.#core.exports.phaseInversionDisabled(this.#openSlot()) !== 0;
  }

  set phaseInversionDisabled(value: boolean) {
    this.#core.exports.setPhaseInversionDisabled(this.#openSlot(), value ? 1 : 0);
  }

  /** Whether packet extensions are ignored. */
  get ignoreExtensions(): boolean {
    return this.#core.exports.ignoreExtensions(this.#openSlot()) !== 0;
  }

  set ignoreExtensions(value: boolean) {
    this.#core.exports.setIgnoreExtensions(this.#openSlot(), value ? 1 : 0);
  }

  /** Final range of the last packet (u32): equals the encoder's unless the packet was damaged; 0 after a loss. */
  get finalRange(): number {
    return this.#core.exports.finalRange(this.#openSlot()) >>> 0;
  }

  /** Sample frames per channel of the last packet; 0 before the first. */
  get lastPacketFrames(): number {
    return this.#core.exports.lastPacketFrames(this.#openSlot());
  }

  /** Pitch lag of the last frame in samples at 48 kHz, 0 where it has none. */
  get pitch(): number {
    return this.#core.exports.pitch(this.#openSlot());
  }

  /** Bandwidth of the last packet; undefined before the first. */
  get bandwidth(): Bandwidth | undefined {
    return bandwidths[this.#core.exports.bandwidth(this.#openSlot())];
  }

  /** Upper bound of what `snapshot` writes. */
  get snapshotBytes(): number {
    return this.#core.exports.maxSnapshotBytes();
  }

  /**
   * Writes the state in the canonical form of docs/design/opus.md; equal states give equal bytes on every machine.
   *
   * @param sections "live" leaves out what only losses, DTX and changes of mode without redundancy need
   * @param version of the form, 1 to 3: an older one only to compare with what was written in it
   * @returns bytes written
   * @throws OpusError `opus/buffer-too-small`, `opus/bad-argument`
   */
  snapshot(into: Uint8Array, sections: "all" | "live" = "all", version?: number): number {
    const core = this.#core;
    const bytes = core.exports.snapshot(this.#openSlot(), sections === "all" ? 1 : 0, version ?? 0);
    if (bytes < 0)
      throw new OpusError("opus/bad-argument", `Snapshots have versions 1 to 3, not ${version}.`);
    if (into.length < bytes) {
      throw new OpusError(
        "opus/buffer-too-small",
        `The snapshot has ${bytes} bytes, the buffer ${into.length}; snapshotBytes is always enough.`,
      );
    }
    core.copyOut(into, bytes);
    return bytes;
  }

  /**
   * Takes up a state that `snapshot` wrote, here or elsewhere, for the same rate and channels. Everything is validated
   * first; a refused snapshot changes nothing.
   *
   * @throws OpusError `opus/bad-snapshot`, `opus/profile-mismatch`
   */
  restore(from: Uint8Array): void {
    const slot = this.#openSlot();
    const core = this.#core;
    const length = from.length;
    core.putPacket(from);
    const result = length > core.packetCapacity ? -100 : core.exports.restore(slot, length);
    if (result === 0) return;
    if (result === profileMismatch) {
      throw new OpusError("opus/profile-mismatch", `The snapshot is not of profile ${OpusDecoder.profile}.`);
    }
    throw new OpusError(
      "opus/bad-snapshot",
      `The ${length} bytes are no valid snapshot of a decoder with ${this.channels} channels at ${this.sampleRate} Hz.`,
    );
  }

  /**
   * Writes what no run-up of packets brings back once SILK has concealed: seeds, envelope and gain of the comfort noise, a few words
   * besides (docs/design/opus.md). At most `snapshotBytes`, about 55 for a channel, 350 more with the excitation.
   *
   * @param withExcitation the noise's excitation too, which otherwise must come from the last four inactive frames
   * @returns bytes written, 0 where there is nothing of the kind
   * @throws OpusError `opus/buffer-too-small`
   */
  lastingState(into: Uint8Array, withExcitation = false): number {
    const core = this.#core;
    const bytes = core.exports.lastingState(this.#openSlot(), withExcitation ? 1 : 0);
    if (into.length < bytes) {
      throw new OpusError(
        "opus/buffer-too-small",
        `The lasting state has ${bytes} bytes, the buffer ${into.length}; snapshotBytes is always enough.`,
      );
    }
    core.copyOut(into, bytes);
    return bytes;
  }

  /**
   * Takes what `lastingState` wrote in front of a packet into this decoder, whose other state stays. Everything is validated
   * first; refused bytes change nothing.
   *
   * @throws OpusError `opus/bad-snapshot`
   */
  takeLastingState(from: Uint8Array): void {
    const slot = this.#openSlot();
    const core = this.#core;
    core.putPacket(from);
    const { length } = from;
    if (length <= core.packetCapacity && core.exports.takeLastingState(slot, length) === 0) return;
    throw new OpusError("opus/bad-snapshot", `The ${length} bytes are no valid lasting state of a decoder.`);
  }

  /**
   * Samples at SILK's own rate in front of the packet decoded last that its long-term prediction reached back to; 0 where it had none. Ask
   * right after `decode`.
   */
  get historyReach(): number {
    this.#openSlot();
    return this.#core.exports.historyReach();
  }

  /**
   * Clears what the next packet replaces, if that reaches back over no more than `reach` samples: older output of SILK and the filters of its
   * resampler. Behind that packet the state is most often what it would have been (compare digests), though the packet's own output
   * is not. A snapshot in between compresses to half. Nothing happens unless the last frame was SILK's alone.
   */
  forgetReplaced(reach: number): void {
    this.#core.exports.forgetReplaced(this.#openSlot(), reach);
  }

  /** A second decoder in the same state. */
  clone(): OpusDecoder {
    this.#openSlot();
    const twin = new OpusDecoder({ ...this.#options, softClip: this.softClip });
    twin.copyFrom(this);
    return twin;
  }

  /**
   * Takes over the state of another decoder of the same rate and channels: one memory copy.
   *
   * @throws OpusError `opus/bad-argument`
   */
  copyFrom(other: OpusDecoder): void {
    if (other.sampleRate !== this.sampleRate || other.channels !== this.channels) {
      throw new OpusError(
        "opus/bad-argument",
        `A decoder of ${other.channels} channels at ${other.sampleRate} Hz cannot be copied to one of ${this.channels} at ${this.sampleRate} Hz.`,
      );
    }
    const from = other.#openSlot();
    const to = this.#openSlot();
    if (other.#core === this.#core) {
      this.#core.exports.copySlot(to, from);
      return;
    }
    const bytes = this.#core.exports.decoderSlotBytes();
    this.#core.bytes.set(other.#core.bytes.subarray(from, from + bytes), to);
  }

  /** Four words over the live section: equal states give equal words. */
  liveStateDigest(into: Uint32Array): void {
    this.#digest(into, 0);
  }

  /** Four words over all that `snapshot` writes: a fraction of the cost of comparing snapshots. */
  wholeStateDigest(into: Uint32Array): void {
    this.#digest(into, 1);
  }

  #digest(into: Uint32Array, withConceal: number): void {
    if (into.length < 4) {
      throw new OpusError("opus/buffer-too-small", `The digest has 4 words, the array ${into.length}.`);
    }
    const core = this.#core;
    core.exports.stateDigest(this.#openSlot(), withConceal);
    const at = core.packetAt >> 2;
    for (let i = 0; i < 4; i++) into[i] = core.integers[at + i]!;
  }

  /** Forgets the stream; options stay. */
  reset(): void {
    this.#core.exports.decoderReset(this.#openSlot());
  }

  /** Frees the slot; any further use throws `opus/closed`. Closing twice is harmless. */
  close(): void {
    if (this.#slot === 0) return;
    releaseSlot(this.#core, this.#slot, this.#token);
    this.#slot = 0;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  static coreOf(decoder: OpusDecoder): CoreInstance {
    return decoder.#core;
  }

  /**
   * One stream of a multistream packet that already lies in the core, from byte `at` on; `left` bytes, 0 = lost.
   * @internal
   */
  decodeStream(
    at: number,
    left: number,
    selfDelimited: boolean,
    pcm: Float32Array,
    room: number,
    fec: boolean,
    clip: boolean,
  ): number {
    const slot = this.#openSlot();
    const { exports } = this.#core;
    const result =
      left === 0
        ? exports.conceal(slot, room, floats)
        : exports.decode(slot, at, left, room, fec ? 1 : 0, selfDelimited ? 1 : 0, floats, clip ? 1 : 0);
    if (result > 0) this.#copyOut(pcm, result * this.channels, floats);
    return result;
  }

  /** Bytes that the last stream took of its packet. @internal */
  get lastStreamBytes(): number {
    return this.#core.exports.lastPacketBytes();
  }

  #openSlot(): number {
    if (this.#slot === 0) throw new OpusError("opus/closed", "The decoder is closed.");
    return this.#slot;
  }

  #run(packet: Uint8Array | null, pcm: Pcm, frames: number | undefined, format: Format): number {
    const slot = this.#openSlot();
    const core = this.#core;
    checkUsable(pcm);
    const capacity = Math.floor(pcm.length / this.channels);
    let result: number;
    if (packet === null || packet.length === 0) {
      if (packet !== null) checkUsable(packet);
      const lost = frames ?? (core.exports.lastPacketFrames(slot) || this.sampleRate / 50);
      if (!isLossDuration(lost, this.sampleRate)) return badArgument;
      if (lost > capacity) return bufferTooSmall;
      result = core.exports.conceal(slot, lost, format);
    } else {
      if (frames !== undefined && !(frames > 0)) return badArgument;
      core.putPacket(packet);
      const clip = this.softClip && format === int16 ? 1 : 0;
      const room = frames === undefined || frames > capacity ? capacity : frames;
      result = core.exports.decode(slot, 0, packet.length, room, 0, 0, format, clip);
    }
    if (result > 0) this.#copyOut(pcm, result * this.channels, format);
    return result;
  }

  #runFec(packet: Uint8Array, pcm: Pcm, frames: number, format: Format): number {
    const slot = this.#openSlot();
    const core = this.#core;
    checkUsable(pcm);
    if (!isLossDuration(frames, this.sampleRate)) return badArgument;
    if (frames * this.channels > pcm.length) return bufferTooSmall;
    checkUsable(packet);
    let result: number;
    if (packet.length === 0) result = core.exports.conceal(slot, frames, format);
    else {
      core.putPacket(packet);
      result = core.exports.decode(slot, 0, packet.length, frames, 1, 0, format, 0);
    }
    if (result > 0) this.#copyOut(pcm, result * this.channels, format);
    return result;
  }

  #copyOut(pcm: Pcm, samples: number, format: Format): void {
    if (format === floats) pcm.set(this.#core.floatOutput(samples));
    else if (format === int16) pcm.set(this.#core.int16Output(samples));
    else pcm.set(this.#core.int24Output(samples));
  }

  #checked(result: number, packet: Uint8Array | null, pcm: Pcm): number {
    if (result >= 0) return result;
    throw errorOfCode(
      result,
      packet === null || packet.length === 0
        ? `Concealment into ${pcm.length} samples (frames must be a multiple of 2.5 ms up to ${longestPacketMs} ms)`
        : `Packet of ${packet.length} bytes into ${pcm.length} samples`,
    );
  }
}

const profileMismatch = -101;

function isLossDuration(frames: number, sampleRate: number): boolean {
  return frames > 0 && frames % (sampleRate / 400) === 0 && frames <= (sampleRate * longestPacketMs) / 1000;
}

function checkGain(gainQ8: number): void {
  if (!Number.isInteger(gainQ8) || gainQ8 < -32768 || gainQ8 > 32767) {
    throw new OpusError(
      "opus/bad-argument",
      `gainQ8 is ${gainQ8}; give a whole number from -32768 to 32767.`,
    );
  }
}
