// Memory map of the core. Fixed regions lie below the tables (asconfig memoryBase), slots above them, so that every
// scratch address is a constant of the code. Nothing in the fixed regions lives longer than one call from outside.
import { RANGE_DECODER_BYTES } from "./range-decoder";

/** Nothing is stored at low addresses, so that a zero address never aliases state. */
export const RANGE_DECODER_AT: usize = 1024;
/** The coder of the 5 ms CELT frame at a mode transition. */
export const REDUNDANCY_DECODER_AT: usize = RANGE_DECODER_AT + ((RANGE_DECODER_BYTES + 63) & ~63);

/** Decoded sound, interleaved: f32, and i16 or i32 after conversion; 120 ms of 48 kHz stereo. */
export const PCM_FLOAT_AT: usize = 0x2000;
export const PCM_CAPACITY_SAMPLES: usize = 5760 * 2;
export const PCM_INTEGER_AT: usize = PCM_FLOAT_AT + PCM_CAPACITY_SAMPLES * 4;

/** Work memory of the Opus layer, of CELT and of SILK; none of them calls back into another. */
export const OPUS_SCRATCH_AT: usize = 0x20000;
export const OPUS_SCRATCH_BYTES: usize = 0x20000;
export const CELT_SCRATCH_AT: usize = 0x40000;
export const CELT_SCRATCH_BYTES: usize = 0x20000;
export const SILK_SCRATCH_AT: usize = 0x60000;
export const SILK_SCRATCH_BYTES: usize = 0x20000;

/** The packet, copied in by the caller; of a longer one (padding has no limit) only the start. */
export const PACKET_AT: usize = 0x80000;
export const PACKET_CAPACITY: usize = 0x80000;

/** End of the fixed regions = memoryBase of asconfig.json. */
export const TABLES_AT: usize = 0x100000;

/** First slot: the first multiple of 64 after the tables. */
export function slotsAddress(): usize {
  return (__heap_base + 63) & ~63;
}
