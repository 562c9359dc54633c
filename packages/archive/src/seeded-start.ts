import { isLongwaveError } from "@longwave/base";
import { startsInactive } from "./concealing-packet.ts";
import type { SegmentDecoder } from "./decode-run.ts";

/**
 * A start in sound with pauses that are not sent (DTX), or with losses. The counters and slow averages of comfort noise are what no run-up brings
 * back, so they are stored: some fifty bytes instead of a state of a thousand. The rest comes from packets, above all the few that were sent in the
 * pause before: the noise's excitation is theirs.
 */
export interface SeededStart {
  /** Packets in front of the point at which the run-up begins. */
  readonly runUp: number;
  /** So many of these come first, of which only the inactive ones are decoded, back to back. */
  readonly gathered: number;
  /** What the sequential decoder gave (`saveLasting`) behind those; the others follow one by one. */
  readonly lasting: Uint8Array;
}

/** The noise's excitation is that of the last four inactive frames, the first one of the run-up included. */
export const inactiveFramesKept = 4;

interface RunUpPacket {
  readonly data: Uint8Array | undefined;
  readonly concealed: boolean;
}

/** Whether a packet in front of the seed counts. */
export function isGathered({ data, concealed }: RunUpPacket): boolean {
  return !concealed && startsInactive(data);
}

/**
 * Takes a fresh decoder along the run-up of a seeded start.
 * @param packetAt packets of the run-up by number, from 0 on
 * @param decode decodes one of them
 * @returns false where the start does not fit or the decoder refuses its seed
 */
export function followSeed<Packet extends RunUpPacket>(
  decoder: SegmentDecoder,
  { runUp, gathered, lasting }: SeededStart,
  packetAt: (index: number) => Packet,
  decode: (packet: Packet) => void,
): boolean {
  if (gathered > runUp || decoder.decoder.loadLasting === undefined) return false;
  for (let i = 0; i < gathered; i++) {
    const packet = packetAt(i);
    if (isGathered(packet)) decode(packet);
  }
  try {
    decoder.decoder.loadLasting(lasting);
  } catch (error) {
    if (!isLongwaveError(error)) throw error;
    return false;
  }
  for (let i = gathered; i < runUp; i++) decode(packetAt(i));
  return true;
}
