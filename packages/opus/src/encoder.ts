import { allocateSlot, type CoreInstance, type OpusCore, releaseSlot, sharedCore } from "./core.ts";
import type { Bandwidth, SampleRate } from "./decoder-options.ts";
import { coreBuildHash, type EncoderExports, encoderInstanceOf } from "./encoder-core.ts";
import {
  type Application,
  applications,
  automatic,
  bandwidths,
  checkBoolean,
  checkChoice,
  checkInteger,
  type FrameMs,
  frameDurations,
  highestBitrate,
  type Mode,
  modes,
  type OpusEncoderOptions,
  type OpusEncoderSettings,
  setting,
  signals,
} from "./encoder-settings.ts";
import {
  type EncoderIdentity,
  encoderSnapshotBytes,
  readEncoderSnapshot,
  writeEncoderSnapshot,
} from "./encoder-snapshot.ts";
import { errorOfCode, OpusError } from "./errors.ts";
import { checkUsable } from "./packet-buffers.ts";

const floats = 0;
const int16 = 1;
const int24 = 2;

// Choices of live settings; setting one allocates nothing.
const channelChoices = ["auto", 1, 2] as const;
const monoChoices = ["auto", 1] as const;
const modeChoices = ["auto", "silk", "hybrid", "celt"] as const;
const bandwidthChoices = ["auto", "nb", "mb", "wb", "swb", "fb"] as const;
const sampleRates: readonly number[] = [8000, 12000, 16000, 24000, 48000];
/** Six frames of the largest size: no packet is longer. */
const largestPacket = 7656;

/**
 * Opus encoder for mono and stereo (RFC 6716), with the decisions and the order of operations of the scalar float build of
 * libopus 1.6.1. Input is interleaved; packets go to buffers of the caller; nothing is allocated per call. All settings
 * are live properties. One object belongs to one thread.
 *
 * @example
 * const encoder = new OpusEncoder({ sampleRate: 48000, channels: 2, bitrateBps: 64000 });
 * const packet = new Uint8Array(1275);
 * const bytes = encoder.encode(pcm, packet); // 20 ms: 960 frames, 1920 values
 */
export class OpusEncoder implements OpusEncoderSettings, Disposable {
  /** Rate of the input in Hz. */
  readonly sampleRate: SampleRate;
  /** Channels of the input. */
  readonly channels: 1 | 2;
  readonly application: Application;
  readonly #core: CoreInstance<EncoderExports>;
  readonly #owner: OpusCore;
  readonly #token: object = {};
  /** Frames of a packet that the application allows. */
  readonly #legalFrames: Int32Array;
  #slot: number;
  #frameDuration: FrameMs | "argument" = "argument";

  /**
   * @throws OpusError `opus/bad-argument` for options out of range, `opus/out-of-slots` where the core is full
   */
  constructor(options: OpusEncoderOptions = {}) {
    const sampleRate = options.sampleRate ?? 48000;
    const channels = options.channels ?? 2;
    const application = options.application ?? "audio";
    if (!sampleRates.includes(sampleRate)) {
      throw new OpusError(
        "opus/bad-argument",
        `sampleRate is ${sampleRate}; Opus encodes 8000, 12000, 16000, 24000 or 48000 Hz.`,
      );
    }
    if (channels !== 1 && channels !== 2) {
      throw new OpusError("opus/bad-argument", `channels is ${channels}; give 1 or 2.`);
    }
    checkChoice("application", application, Object.keys(applications) as Application[]);
    this.sampleRate = sampleRate;
    this.channels = channels;
    this.application = application;
    this.#legalFrames = Int32Array.from(
      frameDurations.filter((ms) => ms >= 10 || application !== "silk"),
      (ms) => (ms * sampleRate) / 1000,
    );
    this.#owner = options.core ?? sharedCore();
    this.#core = encoderInstanceOf(this.#owner);
    const { exports } = this.#core;
    this.#slot = allocateSlot(this.#core, exports.encoderSlotBytes(), this, this.#token);
    exports.encoderInit(this.#slot, sampleRate, channels, applications[application]);
    try {
      this.#apply(options);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Encodes one packet of float samples, nominally -1..1.
   *
   * @param pcm interleaved; its length / channels is the duration: 2.5, 5, 10, 20, 40, 60, 80, 100 or 120 ms, unless
   *   `frameDuration` sets it. Blocks that hold NaN, infinite or absurdly large values are encoded as silence.
   * @param packet where the packet goes. Its length limits the packet and takes part in the rate control; 1275 bytes per
   *   20 ms are always enough
   * @returns bytes of the packet; 1 or 2 where DTX lets it stay unsent
   * @throws OpusError `opus/bad-argument`, `opus/buffer-too-small`; the encoder stays usable
   */
  encode(pcm: Float32Array, packet: Uint8Array): number {
    const frames = this.#framesOf(pcm);
    const core = this.#core;
    if (pcm.length === frames * this.channels) core.floats.set(pcm, core.pcmFloatAt >> 2);
    else this.#copyIn(pcm, 0, frames, core.floats, core.pcmFloatAt >> 2);
    return this.#run(frames, packet, floats);
  }

  /** As `encode`, from 16-bit samples. */
  encodeInt16(pcm: Int16Array, packet: Uint8Array): number {
    const frames = this.#framesOf(pcm);
    const core = this.#core;
    if (pcm.length === frames * this.channels) core.shorts.set(pcm, core.pcmIntegerAt >> 1);
    else this.#copyIn(pcm, 0, frames, core.shorts, core.pcmIntegerAt >> 1);
    return this.#run(frames, packet, int16);
  }

  /** As `encode`, from 24-bit samples in 32-bit integers (full scale 2^23). */
  encodeInt24(pcm: Int32Array, packet: Uint8Array): number {
    const frames = this.#framesOf(pcm);
    const core = this.#core;
    if (pcm.length === frames * this.channels) core.integers.set(pcm, core.pcmIntegerAt >> 2);
    else this.#copyIn(pcm, 0, frames, core.integers, core.pcmIntegerAt >> 2);
    return this.#run(frames, packet, int24);
  }

  /**
   * Encodes `frames` sample frames from sample `at` on of a larger buffer, into `maxBytes` of `packet` from `packetAt` on,
   * so that no view is made per call.
   */
  encodeAt(
    pcm: Float32Array | Int16Array,
    at: number,
    frames: number,
    packet: Uint8Array,
    packetAt: number,
    maxBytes: number,
  ): number {
    const slot = this.#openSlot();
    checkUsable(pcm);
    checkUsable(packet);
    const samples = frames * this.channels;
    if (!(Number.isInteger(at) && at >= 0 && frames > 0 && at + samples <= pcm.length)) {
      throw new OpusError(
        "opus/bad-argument",
        `${frames} frames at sample ${at} are not within the input of ${pcm.length} samples.`,
      );
    }
    if (
      !(Number.isInteger(packetAt) && packetAt >= 0 && maxBytes >= 1 && packetAt + maxBytes <= packet.length)
    ) {
      throw new OpusError(
        "opus/buffer-too-small",
        `${maxBytes} bytes at ${packetAt} are not within the buffer of ${packet.length} bytes.`,
      );
    }
    this.#checkDuration(frames);
    const core = this.#core;
    const format = pcm instanceof Int16Array ? int16 : floats;
    if (format === int16) this.#copyIn(pcm, at, frames, core.shorts, core.pcmIntegerAt >> 1);
    else this.#copyIn(pcm, at, frames, core.floats, core.pcmFloatAt >> 2);
    const bytes = core.exports.encode(slot, frames, Math.min(maxBytes, largestPacket), format);
    if (bytes < 0) throw errorOfCode(bytes, `Encoding ${frames} frames into ${maxBytes} bytes`);
    const { bytes: memory, packetAt: from } = core;
    for (let i = 0; i < bytes; i++) packet[packetAt + i] = memory[from + i]!;
    return bytes;
  }

  get bitrateBps(): number | "auto" | "max" {
    const value = this.#get(setting.bitrate);
    return value === automatic ? "auto" : value === highestBitrate ? "max" : value;
  }

  set bitrateBps(value: number | "auto" | "max") {
    this.#set(setting.bitrate, this.#bitrateNumber(value));
  }

  get complexity(): number {
    return this.#get(setting.complexity);
  }

  set complexity(value: number) {
    this.#set(setting.complexity, checkInteger("complexity", value, 0, 10));
  }

  get vbr(): boolean {
    return this.#get(setting.vbr) !== 0;
  }

  set vbr(value: boolean) {
    this.#set(setting.vbr, checkBoolean("vbr", value) ? 1 : 0);
  }

  get vbrConstraint(): boolean {
    return this.#get(setting.vbrConstraint) !== 0;
  }

  set vbrConstraint(value: boolean) {
    this.#set(setting.vbrConstraint, checkBoolean("vbrConstraint", value) ? 1 : 0);
  }

  get signal(): "auto" | "voice" | "music" {
    const value = this.#get(setting.signal);
    return value === signals.voice ? "voice" : value === signals.music ? "music" : "auto";
  }

  set signal(value: "auto" | "voice" | "music") {
    checkChoice("signal", value, ["auto", "voice", "music"]);
    this.#set(setting.signal, signals[value]);
  }

  get bandwidth(): Bandwidth | "auto" {
    return bandwidths[this.#get(setting.bandwidth)] ?? "auto";
  }

  set bandwidth(value: Bandwidth | "auto") {
    checkChoice("bandwidth", value, bandwidthChoices);
    this.#set(setting.bandwidth, value === "auto" ? automatic : bandwidths.indexOf(value));
  }

  get maxBandwidth(): Bandwidth {
    return bandwidths[this.#get(setting.maxBandwidth)] ?? "fb";
  }

  set maxBandwidth(value: Bandwidth) {
    checkChoice("maxBandwidth", value, ["nb", "mb", "wb", "swb", "fb"]);
    this.#set(setting.maxBandwidth, bandwidths.indexOf(value));
  }

  get forceChannels(): 1 | 2 | "auto" {
    const value = this.#get(setting.forceChannels);
    return value === 1 || value === 2 ? value : "auto";
  }

  set forceChannels(value: 1 | 2 | "auto") {
    checkChoice("forceChannels", value, this.channels === 2 ? channelChoices : monoChoices);
    this.#set(setting.forceChannels, value === "auto" ? automatic : value);
  }

  get forceMode(): Mode | "auto" {
    return modes[this.#get(setting.forceMode)] ?? "auto";
  }

  set forceMode(value: Mode | "auto") {
    checkChoice("forceMode", value, modeChoices);
    this.#set(setting.forceMode, value === "auto" ? automatic : modes.indexOf(value));
  }

  get inbandFec(): 0 | 1 | 2 {
    return this.#get(setting.inbandFec) as 0 | 1 | 2;
  }

  set inbandFec(value: 0 | 1 | 2) {
    this.#set(setting.inbandFec, checkInteger("inbandFec", value, 0, 2));
  }

  get packetLossPercent(): number {
    return this.#get(setting.packetLoss);
  }

  set packetLossPercent(value: number) {
    this.#set(setting.packetLoss, checkInteger("packetLossPercent", value, 0, 100));
  }

  get dtx(): boolean {
    return this.#get(setting.dtx) !== 0;
  }

  set dtx(value: boolean) {
    this.#set(setting.dtx, checkBoolean("dtx", value) ? 1 : 0);
  }

  get lsbDepth(): number {
    return this.#get(setting.lsbDepth);
  }

  set lsbDepth(value: number) {
    this.#set(setting.lsbDepth, checkInteger("lsbDepth", value, 8, 24));
  }

  get frameDuration(): FrameMs | "argument" {
    return this.#frameDuration;
  }

  set frameDuration(value: FrameMs | "argument") {
    this.#openSlot();
    if (value !== "argument") checkChoice("frameDuration", value, frameDurations);
    this.#frameDuration = value;
  }

  get predictionDisabled(): boolean {
    return this.#get(setting.predictionDisabled) !== 0;
  }

  set predictionDisabled(value: boolean) {
    this.#set(setting.predictionDisabled, checkBoolean("predictionDisabled", value) ? 1 : 0);
  }

  get phaseInversionDisabled(): boolean {
    return this.#get(setting.phaseInversionDisabled) !== 0;
  }

  set phaseInversionDisabled(value: boolean) {
    this.#set(setting.phaseInversionDisabled, checkBoolean("phaseInversionDisabled", value) ? 1 : 0);
  }

  /** Frames at the input's rate by which the decoded sound is late: 312 at 48 kHz, 120 with "lowdelay" and "celt". */
  get lookahead(): number {
    const base = this.sampleRate / 400;
    const { application } = this;
    return application === "lowdelay" || application === "celt" ? base : base + this.sampleRate / 250;
  }

  /** Final range of the last packet (u32), equal to the decoder's; 0 for packets that need not be sent. */
  get finalRange(): number {
    return this.#core.exports.encoderFinalRange(this.#openSlot()) >>> 0;
  }

  /** Whether the last packet need not be sent. */
  get inDtx(): boolean {
    return this.#core.exports.encoderInDtx(this.#openSlot()) !== 0;
  }

  /** Mode of the last packet; undefined before the first. */
  get lastMode(): Mode | undefined {
    return modes[this.#core.exports.encoderLastMode(this.#openSlot())];
  }

  /** Bandwidth of the last packet; undefined before the first. */
  get lastBandwidth(): Bandwidth | undefined {
    return bandwidths[this.#core.exports.encoderLastBandwidth(this.#openSlot())];
  }

  /** Bytes that `snapshot` writes. */
  get snapshotBytes(): number {
    return encoderSnapshotBytes(this.#core);
  }

  /**
   * Writes state and settings; a restored encoder goes on with the same bytes. The image is good for the same build of
   * the package only.
   *
   * @returns bytes written
   * @throws OpusError `opus/buffer-too-small`
   */
  snapshot(into: Uint8Array): number {
    return writeEncoderSnapshot(this.#core, this.#openSlot(), this.#identity(), into);
  }

  /**
   * Takes up what `snapshot` wrote, for the same rate, channels and application.
   *
   * @throws OpusError `opus/bad-snapshot`; nothing has changed then
   */
  restore(from: Uint8Array): void {
    const duration = readEncoderSnapshot(this.#core, this.#openSlot(), this.#identity(), from);
    this.#frameDuration = duration === 0 ? "argument" : ((duration / 10) as FrameMs);
  }

  /** A second encoder in the same state. */
  clone(): OpusEncoder {
    const image = new Uint8Array(this.snapshotBytes);
    this.snapshot(image);
    const { sampleRate, channels, application } = this;
    const twin = new OpusEncoder({ sampleRate, channels, application, core: this.#owner });
    twin.restore(image);
    return twin;
  }

  /** Forgets the stream; settings stay. */
  reset(): void {
    this.#core.exports.encoderReset(this.#openSlot());
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

  #bitrateNumber(value: number | "auto" | "max"): number {
    if (value === "auto") return automatic;
    if (value === "max") return highestBitrate;
    if (!Number.isFinite(value) || value <= 0) {
      throw new OpusError(
        "opus/bad-argument",
        `bitrateBps is ${value}; give bits per second above 0, "auto" or "max".`,
      );
    }
    return Math.min(750000 * this.channels, Math.max(500, Math.round(value)));
  }

  #apply(settings: Partial<OpusEncoderSettings>): void {
    for (const name of settingNames) {
      if (settings[name] !== undefined) (this as Record<string, unknown>)[name] = settings[name];
    }
  }

  #identity(): EncoderIdentity {
    return {
      build: coreBuildHash(this.#owner),
      sampleRate: this.sampleRate,
      channels: this.channels,
      application: applications[this.application],
      frameDuration: this.#frameDuration === "argument" ? 0 : this.#frameDuration * 10,
    };
  }

  /** @internal */
  static slotOf(encoder: OpusEncoder): number {
    return encoder.#openSlot();
  }

  /** @internal As `bitrateBps`, for a whole number, which costs no heap number then. */
  static setRate(encoder: OpusEncoder, bitrateBps: number): void {
    const most = 750000 * encoder.channels;
    encoder.#set(setting.bitrate, bitrateBps > most ? most : bitrateBps < 500 ? 500 : bitrateBps);
  }

  /** @internal Sample frames of `length` interleaved values of `channels`, checked as for `encode`. */
  framesFor(length: number, channels: number): number {
    this.#openSlot();
    return this.#checkDuration(length / channels);
  }

  #openSlot(): number {
    if (this.#slot === 0) throw new OpusError("opus/closed", "The encoder is closed.");
    return this.#slot;
  }

  #get(which: number): number {
    return this.#core.exports.encoderSetting(this.#openSlot(), which);
  }

  #set(which: number, value: number): void {
    this.#core.exports.setEncoderSetting(this.#openSlot(), which, value);
  }

  #framesOf(pcm: Float32Array | Int16Array | Int32Array): number {
    this.#openSlot();
    checkUsable(pcm);
    if (this.#frameDuration !== "argument") {
      const frames = (this.#frameDuration * this.sampleRate) / 1000;
      if (frames * this.channels <= pcm.length) return this.#checkDuration(frames);
      throw new OpusError(
        "opus/bad-argument",
        `The input has ${pcm.length} samples; frameDuration asks for ${frames * this.channels}.`,
      );
    }
    const { length } = pcm;
    if (this.channels === 2 && (length & 1) !== 0) return this.#refuseDuration(length / 2);
    return this.#checkDuration(this.channels === 2 ? length >> 1 : length);
  }

  #checkDuration(frames: number): number {
    const legal = this.#legalFrames;
    for (let i = 0; i < legal.length; i++) if (legal[i] === frames) return frames;
    return this.#refuseDuration(frames);
  }

  #refuseDuration(frames: number): never {
    throw new OpusError(
      "opus/bad-argument",
      `The input has ${frames} frames of ${this.channels} channels at ${this.sampleRate} Hz; a packet holds ${this.#legalFrames.join(", ")} frames.`,
    );
  }

  #copyIn(
    pcm: Float32Array | Int16Array | Int32Array,
    at: number,
    frames: number,
    memory: Float32Array | Int16Array | Int32Array,
    to: number,
  ): void {
    const samples = frames * this.channels;
    for (let i = 0; i < samples; i++) memory[to + i] = pcm[at + i]!;
  }

  #run(frames: number, packet: Uint8Array, format: number): number {
    checkUsable(packet);
    if (packet.length === 0) {
      throw new OpusError("opus/buffer-too-small", "The packet buffer has 0 bytes; give at least 2.");
    }
    const core = this.#core;
    const limit = Math.min(packet.length, largestPacket);
    const bytes = core.exports.encode(this.#slot, frames, limit, format);
    if (bytes < 0) throw errorOfCode(bytes, `Encoding ${frames} frames into ${packet.length} bytes`);
    core.copyOut(packet, bytes);
    return bytes;
  }
}

const settingNames: readonly (keyof OpusEncoderSettings)[] = [
  "bitrateBps",
  "complexity",
  "vbr",
  "vbrConstraint",
  "signal",
  "bandwidth",
  "maxBandwidth",
  "forceChannels",
  "forceMode",
  "inbandFec",
  "packetLossPercent",
  "dtx",
  "lsbDepth",
  "frameDuration",
  "predictionDisabled",
  "phaseInversionDisabled",
];
