import { allocateSlot, type CoreInstance, type OpusCore, releaseSlot, sharedCore } from "../core.ts";
import type { SampleRate } from "../decoder-options.ts";
import { OpusEncoder } from "../encoder.ts";
import { type EncoderExports, encoderInstanceOf } from "../encoder-core.ts";
import type { Application, OpusEncoderOptions, OpusEncoderSettings } from "../encoder-settings.ts";
import { errorOfCode, OpusError } from "../errors.ts";
import { checkUsable } from "../packet-buffers.ts";
import { Repacketizer } from "../packets/repacketizer.ts";
import { ChannelInput, type Pcm } from "./channel-input.ts";
import { type ChannelLayout, layoutOfFamily, layoutOfMapping, type MappingFamily } from "./channel-layout.ts";
import { allocateRates, bitsOfRate, rateOfBits } from "./rate-allocation.ts";

/**
 * Channels and mapping family (0 mono and stereo, 1 surround up to 7.1 in the order of Vorbis, 2 and 3 ambisonics, 255 channels
 * without relation), or a mapping of one's own.
 */
export type OpusMultistreamEncoderOptions = Omit<OpusEncoderOptions, "channels"> &
  (
    | { readonly channels: number; readonly family: MappingFamily }
    | { readonly streams: number; readonly coupled: number; readonly mapping: Uint8Array }
  );

const largestPacket = 7656;
const automatic = -1000;
const magic = 0x4d45574c; // "LWEM"
const envelopeBytes = 16;

/**
 * Encoder for several Opus streams in one packet (RFC 7845 section 5.1.1, RFC 8486), with the packets of libopus 1.6.1:
 * families 0, 1 (surround: streams get bits by what the other channels mask), 2 and 3 (ambisonics) and 255. Input is
 * interleaved, packets go to buffers of the caller, nothing is allocated per call.
 *
 * @example
 * const encoder = new OpusMultistreamEncoder({ channels: 6, family: 1, bitrateBps: 256000 });
 * const bytes = encoder.encode(pcm, packet); // L C R Ls Rs LFE, interleaved
 */
export class OpusMultistreamEncoder implements Disposable {
  readonly sampleRate: SampleRate;
  readonly channels: number;
  readonly streams: number;
  /** The first so many streams are stereo. */
  readonly coupled: number;
  /** Per channel the stream channel, for OpusHead. */
  readonly mapping: Uint8Array;
  readonly application: Application;
  readonly #options: OpusMultistreamEncoderOptions;
  readonly #layout: ChannelLayout;
  readonly #owner: OpusCore;
  readonly #core: CoreInstance<EncoderExports>;
  readonly #encoders: OpusEncoder[] = [];
  readonly #repacketizer = new Repacketizer();
  readonly #rates: Int32Array;
  readonly #input: ChannelInput;
  /** Channels of each stream: left and right, or one and -1. */
  readonly #left: Int16Array;
  readonly #right: Int16Array;
  readonly #token: object = {};
  #surround = 0;
  #bitrate: number | "auto" | "max" = "auto";

  /** @throws OpusError `opus/bad-argument` for options out of range, `opus/unimplemented` for other families, `opus/out-of-slots` */
  constructor(options: OpusMultistreamEncoderOptions) {
    const layout =
      "family" in options
        ? layoutOfFamily(options.channels, options.family)
        : layoutOfMapping(options.streams, options.coupled, options.mapping);
    this.#options = options;
    this.#layout = layout;
    this.channels = layout.channels;
    this.streams = layout.streams;
    this.coupled = layout.coupled;
    this.mapping = layout.mapping;
    this.sampleRate = options.sampleRate ?? 48000;
    this.application = options.application ?? "audio";
    this.#owner = options.core ?? sharedCore();
    this.#core = encoderInstanceOf(this.#owner);
    this.#rates = new Int32Array(layout.streams);
    this.#left = Int16Array.from({ length: layout.streams }, (_, stream) => this.#channelOf(stream, 0));
    this.#right = Int16Array.from({ length: layout.streams }, (_, stream) => this.#channelOf(stream, 1));
    this.#input = new ChannelInput(this.#core, layout);
    try {
      for (let stream = 0; stream < layout.streams; stream++) {
        this.#encoders.push(
          new OpusEncoder({
            sampleRate: this.sampleRate,
            application: this.application,
            channels: stream < layout.coupled ? 2 : 1,
            core: this.#owner,
          }),
        );
      }
      const { exports } = this.#core;
      if (layout.lfeStream >= 0) exports.setLfe(OpusEncoder.slotOf(this.#encoders[layout.lfeStream]!));
      if (layout.kind === "surround") {
        this.#surround = allocateSlot(this.#core, exports.surroundBytes(this.channels), this, this.#token);
      }
      const { sampleRate: _rate, application: _application, core: _core, ...settings } = options;
      this.applySettings(settings);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Encodes one packet of float samples, nominally -1..1.
   *
   * @param pcm interleaved; its length / channels is the duration: 2.5, 5, 10, 20, 40, 60, 80, 100 or 120 ms
   * @param packet where the packet goes. Its length limits the packet and takes part in the rate control; 1277 bytes per
   *   stream and 20 ms are always enough
   * @returns bytes of the packet
   * @throws OpusError `opus/bad-argument`, `opus/buffer-too-small`; the encoder stays usable
   */
  encode(pcm: Float32Array, packet: Uint8Array): number {
    return this.#run(pcm, packet);
  }

  /** As `encode`, from 16-bit samples. */
  encodeInt16(pcm: Int16Array, packet: Uint8Array): number {
    return this.#run(pcm, packet);
  }

  /** As `encode`, from 24-bit samples in 32-bit integers (full scale 2^23). */
  encodeInt24(pcm: Int32Array, packet: Uint8Array): number {
    return this.#run(pcm, packet);
  }

  /** Bits per second of all streams together, shared among them for every packet. */
  get bitrateBps(): number | "auto" | "max" {
    return this.#bitrate;
  }

  set bitrateBps(value: number | "auto" | "max") {
    if (value !== "auto" && value !== "max" && !(Number.isFinite(value) && value > 0)) {
      throw new OpusError(
        "opus/bad-argument",
        `bitrateBps is ${value}; give bits per second above 0, "auto" or "max".`,
      );
    }
    this.#bitrate =
      typeof value === "number"
        ? Math.min(750000 * this.channels, Math.max(500 * this.channels, Math.round(value)))
        : value;
  }

  /** Sets the same on all streams, but for the bit rate, which they share. */
  applySettings(settings: Partial<OpusEncoderSettings>): void {
    const { bitrateBps, forceChannels, ...others } = settings;
    if (bitrateBps !== undefined) this.bitrateBps = bitrateBps;
    for (const encoder of this.#encoders) {
      for (const [name, value] of Object.entries(others)) {
        if (value !== undefined && name in encoder && settableNames.has(name)) {
          (encoder as unknown as Record<string, unknown>)[name] = value;
        }
      }
      if (forceChannels !== undefined && encoder.channels === 2) encoder.forceChannels = forceChannels;
    }
  }

  /** Settings of one stream. Its bit rate, and in surround its bandwidth and mode, are set anew for every packet. */
  stream(index: number): OpusEncoderSettings {
    const encoder = this.#encoders[index];
    if (encoder !== undefined) return encoder;
    throw new OpusError("opus/bad-argument", `Stream ${index} does not exist; there are ${this.streams}.`);
  }

  /** Family 3: `channels` rows by `streams + coupled` columns in Q15, column by column, for OpusHead; else undefined. */
  get demixingMatrix(): Int16Array | undefined {
    return this.#layout.projection?.demixing.slice();
  }

  /** Gain that belongs to the demixing matrix, 1/256 dB. */
  get demixingGainQ8(): number {
    return this.#layout.projection?.demixingGainQ8 ?? 0;
  }

  /** Frames by which the sound is late. */
  get lookahead(): number {
    return this.#first().lookahead;
  }

  /** Final ranges of all streams, exclusive-ored, as libopus reports them. */
  get finalRange(): number {
    let range = 0;
    for (const encoder of this.#encoders) range ^= encoder.finalRange;
    return range >>> 0;
  }

  /** Bytes that `snapshot` writes. */
  get snapshotBytes(): number {
    return envelopeBytes + this.streams * this.#first().snapshotBytes + this.#surroundBytes();
  }

  /** Writes the state of all streams: good for the same build of the package only. Returns bytes written. */
  snapshot(into: Uint8Array): number {
    const bytes = this.snapshotBytes;
    if (into.length < bytes) {
      throw new OpusError(
        "opus/buffer-too-small",
        `The snapshot has ${bytes} bytes, the buffer ${into.length}.`,
      );
    }
    const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
    view.setUint32(0, magic, true);
    view.setUint32(4, this.streams, true);
    view.setUint32(8, this.#surroundBytes(), true);
    view.setInt32(
      12,
      this.#bitrate === "auto" ? automatic : this.#bitrate === "max" ? -1 : this.#bitrate,
      true,
    );
    let at = envelopeBytes;
    for (const encoder of this.#encoders) at += encoder.snapshot(into.subarray(at));
    into.set(this.#core.bytes.subarray(this.#surround, this.#surround + this.#surroundBytes()), at);
    return bytes;
  }

  /**
   * Takes up what `snapshot` wrote, for the same options.
   * @throws OpusError `opus/bad-snapshot`; nothing has changed then
   */
  restore(from: Uint8Array): void {
    const bytes = this.snapshotBytes;
    const view = new DataView(from.buffer, from.byteOffset, from.byteLength);
    if (
      from.length < bytes ||
      view.getUint32(0, true) !== magic ||
      view.getUint32(4, true) !== this.streams ||
      view.getUint32(8, true) !== this.#surroundBytes()
    ) {
      throw new OpusError("opus/bad-snapshot", "The snapshot is not of an encoder with these streams.");
    }
    const before = new Uint8Array(bytes);
    this.snapshot(before);
    try {
      this.#take(from, view);
    } catch (error) {
      this.#take(before, new DataView(before.buffer));
      throw error;
    }
  }

  /** A second encoder in the same state. */
  clone(): OpusMultistreamEncoder {
    const image = new Uint8Array(this.snapshotBytes);
    this.snapshot(image);
    const twin = new OpusMultistreamEncoder({ ...this.#options, core: this.#owner });
    try {
      twin.restore(image);
    } catch (error) {
      twin.close();
      throw error;
    }
    return twin;
  }

  /** Forgets the stream; settings stay. */
  reset(): void {
    for (const encoder of this.#encoders) encoder.reset();
    if (this.#surround !== 0) {
      this.#core.bytes.fill(0, this.#surround, this.#surround + this.#surroundBytes());
    }
  }

  /** Frees the slots; any further use throws `opus/closed`. Closing twice is harmless. */
  close(): void {
    for (const encoder of this.#encoders) encoder.close();
    if (this.#surround !== 0) releaseSlot(this.#core, this.#surround, this.#token);
    this.#surround = 0;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #take(from: Uint8Array, view: DataView): void {
    let at = envelopeBytes;
    const each = this.#first().snapshotBytes;
    for (const encoder of this.#encoders) {
      encoder.restore(from.subarray(at, at + each));
      at += each;
    }
    this.#core.bytes.set(from.subarray(at, at + this.#surroundBytes()), this.#surround);
    const bitrate = view.getInt32(12, true);
    this.#bitrate = bitrate === automatic ? "auto" : bitrate <= 0 ? "max" : bitrate;
  }

  #first(): OpusEncoder {
    return this.#encoders[0]!;
  }

  #surroundBytes(): number {
    return this.#surround === 0 ? 0 : this.#core.exports.surroundBytes(this.channels);
  }

  /** The channel of a stream: of a coupled one `side` 0 left or 1 right, else -1 for `side` 1. */
  #channelOf(stream: number, side: 0 | 1): number {
    const { coupled, mapping } = this.#layout;
    if (stream < coupled) return mapping.indexOf(2 * stream + side);
    return side === 0 ? mapping.indexOf(stream + coupled) : -1;
  }

  #run(pcm: Pcm, packet: Uint8Array): number {
    const first = this.#first();
    checkUsable(pcm);
    checkUsable(packet);
    const frames = first.framesFor(pcm.length, this.channels);
    const { streams, sampleRate } = this;
    const tenths = frames * 10 === sampleRate ? 1 : 0;
    const smallest = streams * 2 - 1 + tenths * streams;
    if (packet.length < smallest) {
      throw new OpusError(
        "opus/buffer-too-small",
        `The packet buffer has ${packet.length} bytes; ${streams} streams need at least ${smallest}.`,
      );
    }
    if (this.#layout.kind === "surround" && this.application !== "silk") this.#analyseMasking(pcm, frames);
    const sum = allocateRates(this.#layout, this.#bitrate, sampleRate, frames, this.#rates);
    const constant = !first.vbr;
    let room = packet.length;
    if (constant && this.#bitrate !== "max") {
      const rate = this.#bitrate === "auto" ? sum : this.#bitrate;
      const wanted = (bitsOfRate(rate, sampleRate, frames) + 4) >> 3;
      room = Math.min(room, this.#bitrate === "auto" ? wanted : Math.max(smallest, wanted));
    }
    let to = 0;
    for (let stream = 0; stream < streams; stream++) {
      const encoder = this.#encoders[stream]!;
      const last = stream === streams - 1;
      this.#prepare(encoder, stream, frames);
      // Two bytes for every stream that follows but the last, which needs one; 100 ms take one more.
      let limit = room - to - Math.max(0, 2 * (streams - stream - 1) - 1) - tenths * (streams - stream - 1);
      limit = Math.min(limit, 1275 * 6 + 12);
      if (!last) limit -= limit > 253 ? 2 : 1;
      if (constant && last) OpusEncoder.setRate(encoder, rateOfBits(limit * 8, sampleRate, frames) | 0);
      to += this.#encodeStream(encoder, stream, pcm, frames, packet, to, room, limit, last, constant);
    }
    return to;
  }

  #analyseMasking(pcm: Pcm, frames: number): void {
    const { exports } = this.#core;
    for (let channel = 0; channel < this.channels; channel++) {
      this.#input.takeFloats(pcm, channel, frames);
      exports.analyseSurroundChannel(this.#surround, this.channels, channel, frames, this.sampleRate);
    }
    exports.finishSurround(this.#surround, this.channels);
  }

  /** What is set anew for each packet, as libopus does. */
  #prepare(encoder: OpusEncoder, stream: number, frames: number): void {
    const { kind } = this.#layout;
    OpusEncoder.setRate(encoder, this.#rates[stream]!);
    if (kind === "ambisonics") encoder.forceMode = "celt";
    if (kind !== "surround") return;
    const total = this.#bitrate === "auto" ? automatic : this.#bitrate === "max" ? -1 : this.#bitrate;
    let rate = total;
    if (frames * 50 < this.sampleRate) rate -= 60 * (((this.sampleRate / frames) | 0) - 50) * this.channels;
    if (rate > 10000 * this.channels) encoder.bandwidth = "fb";
    else if (rate > 7000 * this.channels) encoder.bandwidth = "swb";
    else encoder.bandwidth = rate > 5000 * this.channels ? "wb" : "nb";
    if (stream < this.coupled) {
      // Keeps the image in space.
      encoder.forceMode = "celt";
      encoder.forceChannels = 2;
    }
    if (this.application === "silk") return;
    const left = this.#left[stream]!;
    const right = this.#right[stream]!;
    const slot = OpusEncoder.slotOf(encoder);
    this.#core.exports.setSurroundMask(slot, this.#surround, this.channels, left, right);
  }

  #encodeStream(
    encoder: OpusEncoder,
    stream: number,
    pcm: Pcm,
    frames: number,
    packet: Uint8Array,
    to: number,
    room: number,
    limit: number,
    last: boolean,
    constant: boolean,
  ): number {
    const core = this.#core;
    const format = this.#input.take(pcm, this.#left[stream]!, this.#right[stream]!, frames);
    const slot = OpusEncoder.slotOf(encoder);
    const bytes = core.exports.encode(slot, frames, Math.min(limit, largestPacket), format);
    if (bytes < 0) throw errorOfCode(bytes, `Encoding stream ${stream} into ${limit} bytes`);
    const repacketizer = this.#repacketizer;
    repacketizer.clear();
    repacketizer.addAt(core.bytes, core.packetAt, core.packetAt + bytes, false);
    return repacketizer.outAt(packet, to, room, 0, repacketizer.frameCount, !last, constant && last);
  }
}

/** Settings that all streams can share. */
const settableNames: ReadonlySet<string> = new Set<keyof OpusEncoderSettings>([
  "complexity",
  "vbr",
  "vbrConstraint",
  "signal",
  "bandwidth",
  "maxBandwidth",
  "forceMode",
  "inbandFec",
  "packetLossPercent",
  "dtx",
  "lsbDepth",
  "predictionDisabled",
  "phaseInversionDisabled",
]);
