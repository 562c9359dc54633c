// Range encoder (RFC 6716 section 5.1): entropy-coded symbols from the front of a frame, raw bits from its end.
//
// The state is a struct at an address; a copy of it and of the bytes written so far is all that it takes to go back.
import { tellFracCorrection } from "./tables/celt";

/** The range is renormalised when it is at or below this (EC_CODE_BOT). */
const RANGE_BOTTOM: u32 = 1 << 23;
const RANGE_TOP: u32 = 0x80000000;
const VALUE_MASK: u32 = 0x7fffffff;
/** Position of the byte that leaves the value register (EC_CODE_SHIFT). */
const CODE_SHIFT: u32 = 23;
/** encodeUint codes at most this many bits with the range coder; the others are raw (EC_UINT_BITS). */
const UINT_BITS: u32 = 8;

@unmanaged
export class RangeEncoder {
  /** Address and capacity of the frame. */
  data: usize;
  size: u32;
  /** Bytes written at the front and at the end. */
  offset: u32;
  endOffset: u32;
  /** Raw bits not written yet. */
  endWindow: u32;
  endBits: i32;
  /** Whole bits used so far, the pending ones of the range register included. */
  totalBits: i32;
  /** Low end and size of the current interval. */
  range: u32;
  value: u32;
  /** Bytes of 255 that wait for a carry. */
  pending: u32;
  /** The byte before them, -1 before the first. */
  remainder: i32;
  /** -1 when the frame was too small. */
  error: i32;
}

export const RANGE_ENCODER_BYTES: usize = offsetof<RangeEncoder>();

export function rangeEncoderInit(re: RangeEncoder, data: usize, size: u32): void {
  re.data = data;
  re.size = size;
  re.offset = 0;
  re.endOffset = 0;
  re.endWindow = 0;
  re.endBits = 0;
  re.totalBits = 33;
  re.range = RANGE_TOP;
  re.value = 0;
  re.pending = 0;
  re.remainder = -1;
  re.error = 0;
}

function writeByte(re: RangeEncoder, value: u32): void {
  if (re.offset + re.endOffset >= re.size) {
    re.error = -1;
    return;
  }
  store<u8>(re.data + re.offset, u8(value));
  re.offset++;
}

function writeByteAtEnd(re: RangeEncoder, value: u32): void {
  if (re.offset + re.endOffset >= re.size) {
    re.error = -1;
    return;
  }
  re.endOffset++;
  store<u8>(re.data + re.size - re.endOffset, u8(value));
}

/** Takes nine bits from the value register: a byte and the carry into the bytes before it. */
function carryOut(re: RangeEncoder, symbol: u32): void {
  if (symbol == 0xff) {
    re.pending++;
    return;
  }
  const carry = symbol >> 8;
  if (re.remainder >= 0) writeByte(re, u32(re.remainder) + carry);
  if (re.pending > 0) {
    const filler = (0xff + carry) & 0xff;
    do writeByte(re, filler);
    while (--re.pending > 0);
  }
  re.remainder = i32(symbol & 0xff);
}

function normalize(re: RangeEncoder): void {
  while (re.range <= RANGE_BOTTOM) {
    carryOut(re, re.value >> CODE_SHIFT);
    re.value = (re.value << 8) & VALUE_MASK;
    re.range <<= 8;
    re.totalBits += 8;
  }
}

/** Narrows the interval to [low, high) of `total` equal parts. */
export function encodeSymbol(re: RangeEncoder, low: u32, high: u32, total: u32): void {
  const unit = re.range / total;
  if (low > 0) {
    re.value += re.range - unit * (total - low);
    re.range = unit * (high - low);
  } else {
    re.range -= unit * (total - high);
  }
  normalize(re);
}

/** The same with total = 2^bits. */
export function encodeSymbolBits(re: RangeEncoder, low: u32, high: u32, bits: u32): void {
  const unit = re.range >> bits;
  const total: u32 = 1 << bits;
  if (low > 0) {
    re.value += re.range - unit * (total - low);
    re.range = unit * (high - low);
  } else {
    re.range -= unit * (total - high);
  }
  normalize(re);
}

/** One bit whose probability of being 1 is 2^-logProbability. */
export function encodeBit(re: RangeEncoder, bit: i32, logProbability: u32): void {
  const one = re.range >> logProbability;
  const zero = re.range - one;
  if (bit != 0) {
    re.value += zero;
    re.range = one;
  } else {
    re.range = zero;
  }
  normalize(re);
}

/** A symbol of the inverse cumulative table at `icdf` (u8 entries, last 0), total 2^totalBits. */
export function encodeIcdf(re: RangeEncoder, symbol: i32, icdf: usize, totalBits: u32): void {
  const unit = re.range >> totalBits;
  const low = u32(load<u8>(icdf + usize(symbol)));
  if (symbol > 0) {
    const high = u32(load<u8>(icdf + usize(symbol) - 1));
    re.value += re.range - unit * high;
    re.range = unit * (high - low);
  } else {
    re.range -= unit * low;
  }
  normalize(re);
}

/** An integer in [0, total), total > 1, all values equally likely; values above 8 bits continue as raw bits. */
export function encodeUint(re: RangeEncoder, value: u32, total: u32): void {
  const last = total - 1;
  let bits: u32 = 32 - clz(last);
  if (bits > UINT_BITS) {
    bits -= UINT_BITS;
    const steps = (last >> bits) + 1;
    const high = value >> bits;
    encodeSymbol(re, high, high + 1, steps);
    encodeRawBits(re, value & ((<u32>1 << bits) - 1), bits);
  } else {
    encodeSymbol(re, value, value + 1, total);
  }
}

/** `bits` (1..25) raw bits from the end of the frame, least significant first. */
export function encodeRawBits(re: RangeEncoder, value: u32, bits: u32): void {
  let window = re.endWindow;
  let used = re.endBits;
  if (used + <i32>bits > 32) {
    do {
      writeByteAtEnd(re, window & 0xff);
      window >>= 8;
      used -= 8;
    } while (used >= 8);
  }
  re.endWindow = window | (value << used);
  re.endBits = used + <i32>bits;
  re.totalBits += <i32>bits;
}

/** Replaces the first `bits` (<= 8) coded bits; they must have been coded with equal probabilities. */
export function patchInitialBits(re: RangeEncoder, value: u32, bits: u32): void {
  const shift = 8 - bits;
  const mask = ((<u32>1 << bits) - 1) << shift;
  if (re.offset > 0) {
    store<u8>(re.data, u8((load<u8>(re.data) & ~mask) | (value << shift)));
  } else if (re.remainder >= 0) {
    re.remainder = i32((u32(re.remainder) & ~mask) | (value << shift));
  } else if (re.range <= RANGE_TOP >> bits) {
    re.value = (re.value & ~(mask << CODE_SHIFT)) | (value << (CODE_SHIFT + shift));
  } else {
    re.error = -1;
  }
}

/** Makes the frame `size` bytes long: the raw bits move to its new end. */
export function shrinkFrame(re: RangeEncoder, size: u32): void {
  memory.copy(re.data + size - re.endOffset, re.data + re.size - re.endOffset, re.endOffset);
  re.size = size;
}

/** Writes the shortest tail that decodes correctly whatever follows, and zeros between it and the raw bits. */
export function finishFrame(re: RangeEncoder): void {
  let bits = <i32>clz(re.range);
  let mask = VALUE_MASK >> bits;
  let end = (re.value + mask) & ~mask;
  if ((end | mask) >= re.value + re.range) {
    bits++;
    mask >>= 1;
    end = (re.value + mask) & ~mask;
  }
  while (bits > 0) {
    carryOut(re, end >> CODE_SHIFT);
    end = (end << 8) & VALUE_MASK;
    bits -= 8;
  }
  if (re.remainder >= 0 || re.pending > 0) carryOut(re, 0);
  let window = re.endWindow;
  let used = re.endBits;
  while (used >= 8) {
    writeByteAtEnd(re, window & 0xff);
    window >>= 8;
    used -= 8;
  }
  if (re.error != 0) return;
  memory.fill(re.data + re.offset, 0, re.size - re.offset - re.endOffset);
  if (used <= 0) return;
  if (re.endOffset >= re.size) {
    re.error = -1;
    return;
  }
  const free = -bits;
  if (re.offset + re.endOffset >= re.size && free < used) {
    window &= (1 << free) - 1;
    re.error = -1;
  }
  const last = re.data + re.size - re.endOffset - 1;
  store<u8>(last, u8(load<u8>(last) | window));
}

/** Bits used so far, rounded up; at most 1 more than the ideal. */
export function encoderTellBits(re: RangeEncoder): i32 {
  return re.totalBits - <i32>(32 - clz(re.range));
}

/** Bits used so far in 1/8 bit, rounded up; the decoder's `tellEighths` at the same place. */
export function encoderTellEighths(re: RangeEncoder): i32 {
  const bits = re.totalBits << 3;
  const log: i32 = 32 - clz(re.range);
  const top = re.range >> (log - 16);
  let fraction = (top >> 12) - 8;
  fraction += u32(top > load<u32>(tellFracCorrection + (<usize>fraction << 2)));
  return bits - ((log << 3) + <i32>fraction);
}
