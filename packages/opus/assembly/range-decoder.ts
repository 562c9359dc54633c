// Range decoder (RFC 6716 section 4.1): entropy-coded symbols from the front of a frame, raw bits from its end.
//
// The state is a struct at an address, so that SILK, CELT and the Opus layer share one coder per frame. All registers
// are unsigned 32-bit; division and comparison rely on it.
import { tellFracCorrection } from "./tables/celt";

/** Bits that the first byte leaves for the value register (EC_CODE_EXTRA). */
const EXTRA_BITS: u32 = 7;
/** The range is renormalised when it is at or below this (EC_CODE_BOT). */
const RANGE_BOTTOM: u32 = 1 << 23;
const VALUE_MASK: u32 = 0x7fffffff;
/** decodeUint codes at most this many bits with the range coder; the others are raw (EC_UINT_BITS). */
const UINT_BITS: u32 = 8;

@unmanaged
export class RangeDecoder {
  /** Address and length of the frame. */
  data: usize;
  size: u32;
  /** Bytes taken from the front and from the end. */
  offset: u32;
  endOffset: u32;
  /** Raw bits read but not used yet. */
  endWindow: u32;
  endBits: i32;
  /** Whole bits used so far, the pending ones of the range register included. */
  totalBits: i32;
  /** Size of the current interval, and its top minus the code value minus one. */
  range: u32;
  value: u32;
  /** Interval of one unit of the last `decodeSymbol`. */
  unit: u32;
  /** Last byte read; its low bit belongs to the next symbol. */
  remainder: u32;
  /** 1 after a value that no encoder writes. */
  error: i32;
}

export const RANGE_DECODER_BYTES: usize = offsetof<RangeDecoder>();

export function rangeDecoderInit(rd: RangeDecoder, data: usize, size: u32): void {
  rd.data = data;
  rd.size = size;
  rd.offset = 0;
  rd.endOffset = 0;
  rd.endWindow = 0;
  rd.endBits = 0;
  // 33 - 24: the bits of the first normalisation are counted there.
  rd.totalBits = 9;
  rd.range = 1 << EXTRA_BITS;
  rd.remainder = nextByte(rd);
  rd.value = rd.range - 1 - (rd.remainder >> 1);
  rd.error = 0;
  normalize(rd);
}

function nextByte(rd: RangeDecoder): u32 {
  const offset = rd.offset;
  if (offset >= rd.size) return 0;
  rd.offset = offset + 1;
  return load<u8>(rd.data + offset);
}

function nextByteFromEnd(rd: RangeDecoder): u32 {
  const taken = rd.endOffset;
  if (taken >= rd.size) return 0;
  rd.endOffset = taken + 1;
  return load<u8>(rd.data + rd.size - taken - 1);
}

function normalize(rd: RangeDecoder): void {
  let range = rd.range;
  if (range > RANGE_BOTTOM) return;
  let value = rd.value;
  let remainder = rd.remainder;
  let totalBits = rd.totalBits;
  do {
    totalBits += 8;
    range <<= 8;
    let symbol = remainder << 8;
    remainder = nextByte(rd);
    symbol = (symbol | remainder) >> 1;
    value = ((value << 8) + (0xff & ~symbol)) & VALUE_MASK;
  } while (range <= RANGE_BOTTOM);
  rd.range = range;
  rd.value = value;
  rd.remainder = remainder;
  rd.totalBits = totalBits;
}

/** Position of the coded symbol in a distribution of `total`; to be followed by `acceptSymbol`. */
export function decodeSymbol(rd: RangeDecoder, total: u32): u32 {
  const unit = rd.range / total;
  rd.unit = unit;
  const symbol = rd.value / unit;
  return total - min<u32>(symbol + 1, total);
}

/** The same with total = 2^bits. */
export function decodeSymbolBits(rd: RangeDecoder, bits: u32): u32 {
  const unit = rd.range >> bits;
  rd.unit = unit;
  const total: u32 = 1 << bits;
  const symbol = rd.value / unit;
  return total - min<u32>(symbol + 1, total);
}

/** Narrows the interval to [low, high) of `total`, as `decodeSymbol` divided it. */
export function acceptSymbol(rd: RangeDecoder, low: u32, high: u32, total: u32): void {
  const skipped = rd.unit * (total - high);
  rd.value -= skipped;
  rd.range = low > 0 ? rd.unit * (high - low) : rd.range - skipped;
  normalize(rd);
}

/** One bit whose probability of being 1 is 2^-logProbability. */
export function decodeBit(rd: RangeDecoder, logProbability: u32): i32 {
  const range = rd.range;
  const value = rd.value;
  const one = range >> logProbability;
  let bit: i32 = 1;
  if (value < one) {
    rd.range = one;
  } else {
    rd.value = value - one;
    rd.range = range - one;
    bit = 0;
  }
  normalize(rd);
  return bit;
}

/** A symbol of the inverse cumulative table at `icdf` (u8 entries, last 0), total 2^totalBits. */
export function decodeIcdf(rd: RangeDecoder, icdf: usize, totalBits: u32): i32 {
  const value = rd.value;
  let low = rd.range;
  const unit = low >> totalBits;
  let symbol: usize = 0;
  let high = low;
  low = unit * load<u8>(icdf);
  while (value < low) {
    symbol++;
    high = low;
    low = unit * load<u8>(icdf + symbol);
  }
  rd.value = value - low;
  rd.range = high - low;
  normalize(rd);
  return <i32>symbol;
}

/** An integer in [0, total), total > 1, all values equally likely; values above 8 bits continue as raw bits. */
export function decodeUint(rd: RangeDecoder, total: u32): u32 {
  const last = total - 1;
  let bits: u32 = 32 - clz(last);
  if (bits > UINT_BITS) {
    bits -= UINT_BITS;
    const steps = (last >> bits) + 1;
    const high = decodeSymbol(rd, steps);
    acceptSymbol(rd, high, high + 1, steps);
    const value = (high << bits) | decodeRawBits(rd, bits);
    if (value <= last) return value;
    rd.error = 1;
    return last;
  }
  const value = decodeSymbol(rd, total);
  acceptSymbol(rd, value, value + 1, total);
  return value;
}

/** `bits` (0..25) raw bits from the end of the frame, least significant first. */
export function decodeRawBits(rd: RangeDecoder, bits: u32): u32 {
  let window = rd.endWindow;
  let available = rd.endBits;
  if (<u32>available < bits) {
    do {
      window |= nextByteFromEnd(rd) << available;
      available += 8;
    } while (available <= 24);
  }
  const value = window & ((<u32>1 << bits) - 1);
  rd.endWindow = window >> bits;
  rd.endBits = available - <i32>bits;
  rd.totalBits += <i32>bits;
  return value;
}

/** Bits used so far, rounded up; at most 1 more than the ideal. */
export function tellBits(rd: RangeDecoder): i32 {
  return rd.totalBits - <i32>(32 - clz(rd.range));
}

/** Bits used so far in 1/8 bit, rounded up (RFC 6716 section 4.1.6.2). */
export function tellEighths(rd: RangeDecoder): u32 {
  const bits: u32 = <u32>rd.totalBits << 3;
  let log: i32 = 32 - clz(rd.range);
  const mantissa = rd.range >> (log - 16);
  let eighth: u32 = (mantissa >> 12) - 8;
  eighth += u32(mantissa > load<u32>(tellFracCorrection + (eighth << 2)));
  log = (log << 3) + <i32>eighth;
  return bits - <u32>log;
}
