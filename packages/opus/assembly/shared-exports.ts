// What every core of the package exports. Addresses are byte offsets in the memory.
import { prepareTwiddles } from "./celt/fft";
import { PACKET_AT, PACKET_CAPACITY, PCM_FLOAT_AT, PCM_INTEGER_AT, slotsAddress } from "./layout";

/** To be called once, before anything else. */
export function initialize(): void {
  prepareTwiddles();
}

export function packetAddress(): usize {
  return PACKET_AT;
}

export function packetCapacity(): usize {
  return PACKET_CAPACITY;
}

export function pcmFloatAddress(): usize {
  return PCM_FLOAT_AT;
}

export function pcmIntegerAddress(): usize {
  return PCM_INTEGER_AT;
}

export function firstSlotAddress(): usize {
  return slotsAddress();
}
