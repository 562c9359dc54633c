// A core with SILK alone, compiled by the tests: what the Opus layer does around one SILK frame, and no more.
import { PACKET_AT, PCM_FLOAT_AT, RANGE_DECODER_AT, slotsAddress } from "../layout";
import { RangeDecoder, rangeDecoderInit } from "../range-decoder";
import { silkDecode, silkDecoderInit } from "../silk/decoder";
import { SILK_DECODER_BYTES, SilkDecoder } from "../silk/state";
import { silkDecoderValid } from "../silk/validate";

export function packetAddress(): usize {
  return PACKET_AT;
}

export function pcmAddress(): usize {
  return PCM_FLOAT_AT;
}

export function decoderAddress(): usize {
  return slotsAddress();
}

export function decoderBytes(): usize {
  return SILK_DECODER_BYTES;
}

export function init(): void {
  silkDecoderInit(changetype<SilkDecoder>(slotsAddress()));
}

/**
 * Decodes the `size` bytes at the packet address, or conceals (loss = 1), or reads the redundancy (loss = 2); returns
 * the sample frames written to the PCM address.
 */
export function decode(
  size: i32,
  payloadMs: i32,
  internalHz: i32,
  internalChannels: i32,
  apiHz: i32,
  apiChannels: i32,
  loss: i32,
): i32 {
  const rd = changetype<RangeDecoder>(RANGE_DECODER_AT);
  rangeDecoderInit(rd, PACKET_AT, size);
  const wanted = (payloadMs * apiHz) / 1000;
  let done: i32 = 0;
  while (done < wanted) {
    done += silkDecode(
      changetype<SilkDecoder>(slotsAddress()),
      rd,
      payloadMs,
      internalHz,
      internalChannels,
      apiHz,
      apiChannels,
      loss,
      done == 0,
      PCM_FLOAT_AT + (usize(done * apiChannels) << 2),
    );
  }
  return done;
}

export function finalRange(): u32 {
  return changetype<RangeDecoder>(RANGE_DECODER_AT).range;
}

export function valid(): bool {
  return silkDecoderValid(changetype<SilkDecoder>(slotsAddress()));
}
