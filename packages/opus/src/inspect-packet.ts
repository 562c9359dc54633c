import { OpusDecoder } from "./decoder.ts";
import type { Bandwidth } from "./decoder-options.ts";
import { OpusError } from "./errors.ts";
import { createPacketInfo, type PacketMode, parsePacket } from "./packets/packet-info.ts";

/** Side information of one SILK frame of one channel, as decoded (RFC 6716 section 4.2.7). */
export interface SilkFrameTrace {
  readonly kind: "silk";
  /** Frame within the packet's SILK layer, 0..2. */
  readonly frame: number;
  /** Whether it is the low-rate copy of an earlier frame (LBRR). */
  readonly redundant: boolean;
  readonly channel: "mid" | "side";
  readonly voiceActivity: boolean;
  readonly signalType: "inactive" | "unvoiced" | "voiced";
  readonly quantOffset: number;
  /** How gains and lags are coded: on their own, without LTP scaling, or relative to the frame before. */
  readonly coding: "independent" | "independent-no-ltp-scaling" | "conditional";
  /** One per subframe; the first absolute unless coded conditionally. */
  readonly gainIndices: readonly number[];
  /** Stage 1, then one residual per coefficient. */
  readonly nlsfIndices: readonly number[];
  /** 4 = no interpolation. */
  readonly nlsfInterpolation: number;
  readonly lagIndex: number;
  readonly contourIndex: number;
  readonly periodicityIndex: number;
  readonly ltpIndices: readonly number[];
  readonly ltpScaleIndex: number;
  readonly seed: number;
  /** Sum of the pulses' magnitudes. */
  readonly pulses: number;
  /** Stereo prediction weights, Q13; of the mid channel of stereo packets. */
  readonly stereoWeightsQ13: readonly [number, number];
}

/** Side information of one CELT frame (RFC 6716 section 4.3). Arrays run over the bands startBand..endBand-1. */
export interface CeltFrameTrace {
  readonly kind: "celt";
  readonly frameMs: number;
  readonly channels: 1 | 2;
  readonly startBand: number;
  readonly endBand: number;
  readonly silence: boolean;
  readonly postfilter:
    | { readonly period: number; readonly gain: number; readonly tapset: number }
    | undefined;
  readonly transient: boolean;
  readonly intra: boolean;
  readonly spread: number;
  readonly trim: number;
  readonly antiCollapse: boolean;
  /** Bands from here on were skipped. */
  readonly codedBands: number;
  /** First band of intensity stereo. */
  readonly intensity: number;
  readonly dualStereo: boolean;
  readonly tfChange: readonly number[];
  /** Dynamic allocation, 1/8 bit. */
  readonly boosts: readonly number[];
  /** Bits of the shape, 1/8 bit, before rebalancing. */
  readonly shapeBits: readonly number[];
  readonly fineBits: readonly number[];
  /** log2 energy per channel and band. */
  readonly logEnergies: readonly (readonly number[])[];
}

/** What is in a packet. */
export interface PacketTrace {
  readonly mode: PacketMode;
  readonly bandwidth: Bandwidth;
  readonly channels: 1 | 2;
  readonly frameMs: number;
  readonly frameCount: number;
  /** State of the range coder after the packet. */
  readonly finalRange: number;
  /** In the order of the bitstream; the redundant frame of a mode change is a CELT frame of 5 ms. */
  readonly frames: readonly (SilkFrameTrace | CeltFrameTrace)[];
}

const recordWords = 160;
const headWords = 4;
const bands = 21;
const signalTypes = ["inactive", "unvoiced", "voiced"] as const;
const codings = ["independent", "independent-no-ltp-scaling", "conditional"] as const;

/**
 * The side information of a packet as a plain object. Comparing the traces of two encoders' packets names the first
 * decision in which they differ.
 *
 * @param packet one packet
 * @param decoder where the packet stands in a stream: the decoder before it, which stays as it is; energies depend on it
 * @throws OpusError `opus/invalid-packet`
 */
export function inspectPacket(packet: Uint8Array, decoder?: OpusDecoder): PacketTrace {
  const info = createPacketInfo();
  if (parsePacket(packet, info) < 0) {
    throw new OpusError("opus/invalid-packet", `The ${packet.length} bytes are no Opus packet.`);
  }
  using scratch = decoder === undefined ? new OpusDecoder() : decoder.clone();
  const core = OpusDecoder.coreOf(scratch);
  core.exports.trace(1);
  try {
    scratch.decode(packet, new Float32Array(5760 * 2));
  } finally {
    core.exports.trace(0);
  }
  const at = core.exports.traceAddress() >> 2;
  return {
    mode: info.mode,
    bandwidth: info.bandwidth,
    channels: info.channels,
    frameMs: info.frameMs,
    frameCount: info.frameCount,
    finalRange: scratch.finalRange,
    frames: readFrames(core.integers, core.floats, at),
  };
}

function readFrames(
  words: Int32Array,
  floats: Float32Array,
  at: number,
): (SilkFrameTrace | CeltFrameTrace)[] {
  const frames: (SilkFrameTrace | CeltFrameTrace)[] = [];
  const count = words[at + 1]!;
  for (let index = 0; index < count; index++) {
    const start = at + headWords + index * recordWords;
    if (words[start] === 2) {
      frames.push(readCelt(words, floats, start));
      continue;
    }
    const before = frames.at(-1);
    const frame = words[start + 1]!;
    const redundant = words[start + 2] === 1;
    // The side channel of a frame follows its mid channel.
    const side =
      before?.kind === "silk" &&
      before.channel === "mid" &&
      before.frame === frame &&
      before.redundant === redundant;
    frames.push(readSilk(words, start, side ? "side" : "mid"));
  }
  return frames;
}

function readSilk(words: Int32Array, start: number, channel: "mid" | "side"): SilkFrameTrace {
  const list = (from: number, count: number) =>
    Array.from(words.subarray(start + from, start + from + count));
  const subframes = words[start + 39]!;
  const voiced = words[start + 3] === 2;
  return {
    kind: "silk",
    frame: words[start + 1]!,
    redundant: words[start + 2] === 1,
    channel,
    voiceActivity: words[start + 42] === 1,
    signalType: signalTypes[words[start + 3]!]!,
    quantOffset: words[start + 4]!,
    coding: codings[words[start + 38]!]!,
    gainIndices: list(5, subframes),
    nlsfIndices: list(20, words[start + 19]! + 1),
    nlsfInterpolation: words[start + 9]!,
    lagIndex: voiced ? words[start + 10]! : 0,
    contourIndex: voiced ? words[start + 11]! : 0,
    periodicityIndex: voiced ? words[start + 12]! : 0,
    ltpIndices: voiced ? list(13, subframes) : [],
    ltpScaleIndex: voiced ? words[start + 17]! : 0,
    seed: words[start + 18]!,
    pulses: words[start + 37]!,
    stereoWeightsQ13: [words[start + 40]!, words[start + 41]!],
  };
}

function readCelt(words: Int32Array, floats: Float32Array, start: number): CeltFrameTrace {
  const startBand = words[start + 3]!;
  const endBand = words[start + 4]!;
  const row = (index: number) =>
    Array.from(words.subarray(start + 17 + index * bands + startBand, start + 17 + index * bands + endBand));
  const energies = (channel: number) =>
    Array.from(
      floats.subarray(
        start + 17 + (4 + channel) * bands + startBand,
        start + 17 + (4 + channel) * bands + endBand,
      ),
    );
  const channels = words[start + 2] === 2 ? 2 : 1;
  const period = words[start + 10]!;
  return {
    kind: "celt",
    frameMs: 2.5 * 2 ** words[start + 1]!,
    channels,
    startBand,
    endBand,
    silence: words[start + 5] === 1,
    postfilter: period === 0 ? undefined : { period, gain: floats[start + 11]!, tapset: words[start + 12]! },
    transient: words[start + 6] === 1,
    intra: words[start + 7] === 1,
    spread: words[start + 8]!,
    trim: words[start + 9]!,
    antiCollapse: words[start + 16] === 1,
    codedBands: words[start + 13]!,
    intensity: words[start + 14]!,
    dualStereo: words[start + 15] === 1,
    tfChange: row(0),
    boosts: row(1),
    shapeBits: row(2),
    fineBits: row(3),
    logEnergies: channels === 2 ? [energies(0), energies(1)] : [energies(0)],
  };
}
