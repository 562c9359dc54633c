// The fields of the SILK decoder block, in the order of the block, for the canonical snapshot. Offsets follow from
// types and counts; assembly/silk/state.ts lays the block out, and a test restores a decoder from these fields alone.

/**
 * Part of the snapshot that a field belongs to (section 6 of the format): `live` is needed to decode the next packet,
 * `conceal` only if packets get lost or the sender pauses, `idle` holds nothing between packets and is stored as zero.
 */
export type StateSection = "live" | "conceal" | "idle";

/** One named field: `count` little-endian integers at `offset` of the block. */
export interface StateField {
  readonly name: string;
  readonly type: "i8" | "i16" | "i32";
  readonly offset: number;
  readonly count: number;
  readonly section: StateSection;
}

type Row = readonly [name: string, type: StateField["type"], count: number, section: StateSection];

const decoderRows: readonly Row[] = [
  ["apiChannels", "i32", 1, "live"],
  ["internalChannels", "i32", 1, "live"],
  ["prevDecodeOnlyMiddle", "i32", 1, "live"],
  ["prevPitchLag", "i32", 1, "live"],
  ["predPrevQ13", "i32", 2, "live"],
  ["mid", "i16", 2, "live"],
  ["side", "i16", 2, "live"],
];

const channelRows: readonly Row[] = [
  ["prevGainQ16", "i32", 1, "live"],
  ["lagPrev", "i32", 1, "live"],
  ["lastGainIndex", "i32", 1, "live"],
  ["rateKhz", "i32", 1, "live"],
  ["apiRateHz", "i32", 1, "live"],
  ["subframes", "i32", 1, "live"],
  ["frameLength", "i32", 1, "live"],
  ["subframeLength", "i32", 1, "live"],
  ["ltpMemory", "i32", 1, "live"],
  ["lpcOrder", "i32", 1, "live"],
  ["firstFrameAfterReset", "i32", 1, "live"],
  ["framesDecoded", "i32", 1, "live"],
  ["framesPerPacket", "i32", 1, "live"],
  ["prevSignalTypeCoded", "i32", 1, "live"],
  ["prevLagIndex", "i32", 1, "live"],
  ["lbrrFlag", "i32", 1, "idle"],
  ["lossCount", "i32", 1, "live"],
  ["prevSignalType", "i32", 1, "live"],
  ["signalType", "i32", 1, "idle"],
  ["quantOffsetType", "i32", 1, "idle"],
  ["nlsfInterpolation", "i32", 1, "idle"],
  ["lagIndex", "i32", 1, "idle"],
  ["contourIndex", "i32", 1, "idle"],
  ["periodicityIndex", "i32", 1, "idle"],
  ["ltpScaleIndex", "i32", 1, "idle"],
  ["seed", "i32", 1, "idle"],
  ["cngGainQ16", "i32", 1, "conceal"],
  ["cngSeed", "i32", 1, "conceal"],
  ["cngRateKhz", "i32", 1, "conceal"],
  ["plcPitchQ8", "i32", 1, "conceal"],
  ["plcLastFrameLost", "i32", 1, "live"],
  ["plcSeed", "i32", 1, "conceal"],
  ["plcNoiseScaleQ14", "i32", 1, "conceal"],
  ["plcEnergy", "i32", 1, "live"],
  ["plcEnergyShift", "i32", 1, "live"],
  ["plcLtpScaleQ14", "i32", 1, "conceal"],
  ["plcRateKhz", "i32", 1, "conceal"],
  ["plcSubframes", "i32", 1, "conceal"],
  ["plcSubframeLength", "i32", 1, "conceal"],
  ["reserved", "i32", 1, "idle"],
  // The excitation is the noise source of concealment and comfort noise.
  ["excitationQ14", "i32", 320, "conceal"],
  ["lpcStateQ14", "i32", 16, "live"],
  // The last 20 ms of output; the third 10 ms of the longest frame are work space.
  ["outBuffer", "i16", 480, "live"],
  ["prevNlsfQ15", "i16", 16, "live"],
  ["vadFlags", "i32", 3, "idle"],
  ["lbrrFlags", "i32", 3, "idle"],
  ["gainIndices", "i8", 4, "idle"],
  ["ltpIndices", "i8", 4, "idle"],
  ["nlsfIndices", "i8", 20, "idle"],
  ["cngExcitationQ14", "i32", 320, "conceal"],
  ["cngSynthesisQ14", "i32", 16, "conceal"],
  ["cngNlsfQ15", "i16", 16, "conceal"],
  ["plcLtpQ14", "i16", 6, "conceal"],
  ["plcLpcQ12", "i16", 16, "conceal"],
  ["plcGainsQ16", "i32", 2, "conceal"],
  ["resamplerMethod", "i32", 1, "live"],
  ["resamplerInputKhz", "i32", 1, "live"],
  ["resamplerOutputKhz", "i32", 1, "live"],
  ["resamplerInputDelay", "i32", 1, "live"],
  ["resamplerBatchSize", "i32", 1, "live"],
  ["resamplerInverseRatioQ16", "i32", 1, "live"],
  ["resamplerFirOrder", "i32", 1, "live"],
  ["resamplerFirPhases", "i32", 1, "live"],
  ["resamplerIir", "i32", 6, "live"],
  ["resamplerFir", "i32", 36, "live"],
  ["resamplerDelay", "i16", 48, "live"],
];

const bytesOf = { i8: 1, i16: 2, i32: 4 } as const;

function place(rows: readonly Row[], prefix: string, from: number, into: StateField[]): number {
  let offset = from;
  for (const [name, type, count, section] of rows) {
    into.push({ name: `${prefix}${name}`, type, offset, count, section });
    offset += bytesOf[type] * count;
  }
  return offset;
}

function placeAll(): StateField[] {
  const fields: StateField[] = [];
  let offset = place(decoderRows, "silk.", 0, fields);
  offset = place(channelRows, "silk.mid.", offset, fields);
  place(channelRows, "silk.side.", offset, fields);
  return fields;
}

/** All fields of the block, without gaps or overlaps. */
export const silkStateFields: readonly StateField[] = placeAll();
