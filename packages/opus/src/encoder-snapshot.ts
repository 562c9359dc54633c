// Image of an encoder's state: header, slot, checksum. Good for the same build of the core only.
import type { CoreInstance } from "./core.ts";
import type { EncoderExports } from "./encoder-core.ts";
import { OpusError } from "./errors.ts";

/** "LWSE" */
const magic = 0x4553574c;
const version = 1;
const headerBytes = 28;
const checksumBytes = 4;
/** Tenths of a millisecond; 0 where the input decides. */
const legalDurations: readonly number[] = [0, 25, 50, 100, 200, 400, 600, 800, 1000, 1200];

export interface EncoderIdentity {
  /** See `coreBuildHash`. */
  readonly build: number;
  readonly sampleRate: number;
  readonly channels: number;
  readonly application: number;
  /** Tenths of a millisecond, 0 where it follows from the input. */
  readonly frameDuration: number;
}

export function encoderSnapshotBytes(core: CoreInstance<EncoderExports>): number {
  return headerBytes + core.exports.encoderSlotBytes() + checksumBytes;
}

function checksum(bytes: Uint8Array, length: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash >>> 0;
}

/** Writes the image of the slot; returns its bytes. */
export function writeEncoderSnapshot(
  core: CoreInstance<EncoderExports>,
  slot: number,
  identity: EncoderIdentity,
  into: Uint8Array,
): number {
  const slotBytes = core.exports.encoderSlotBytes();
  const total = encoderSnapshotBytes(core);
  if (into.length < total) {
    throw new OpusError(
      "opus/buffer-too-small",
      `The snapshot has ${total} bytes, the buffer ${into.length}.`,
    );
  }
  const view = new DataView(into.buffer, into.byteOffset, total);
  view.setUint32(0, magic, true);
  view.setUint32(4, version, true);
  view.setUint32(8, identity.build, true);
  view.setUint32(12, identity.sampleRate, true);
  view.setUint32(16, identity.channels, true);
  view.setUint32(20, identity.application, true);
  view.setUint32(24, identity.frameDuration, true);
  into.set(core.bytes.subarray(slot, slot + slotBytes), headerBytes);
  view.setUint32(headerBytes + slotBytes, checksum(into, headerBytes + slotBytes), true);
  return total;
}

/**
 * Copies an image into the slot, after everything about it has been checked.
 * @returns the frame duration of the image, see `EncoderIdentity`
 * @throws OpusError `opus/bad-snapshot`; the slot has not changed
 */
export function readEncoderSnapshot(
  core: CoreInstance<EncoderExports>,
  slot: number,
  identity: EncoderIdentity,
  from: Uint8Array,
): number {
  const slotBytes = core.exports.encoderSlotBytes();
  const total = encoderSnapshotBytes(core);
  if (from.length < total) throw badSnapshot(`it has ${from.length} bytes instead of ${total}`);
  const view = new DataView(from.buffer, from.byteOffset, total);
  if (view.getUint32(0, true) !== magic || view.getUint32(4, true) !== version) {
    throw badSnapshot("it does not begin as an encoder snapshot of this version");
  }
  if (view.getUint32(8, true) !== identity.build) throw badSnapshot("it is of another build of the codec");
  if (
    view.getUint32(12, true) !== identity.sampleRate ||
    view.getUint32(16, true) !== identity.channels ||
    view.getUint32(20, true) !== identity.application
  ) {
    throw badSnapshot("it is of an encoder with another rate, channel count or application");
  }
  if (view.getUint32(headerBytes + slotBytes, true) !== checksum(from, headerBytes + slotBytes)) {
    throw badSnapshot("its checksum is wrong");
  }
  // Judged outside the slot: a refused image changes nothing.
  const { packetAt } = core;
  core.bytes.set(from.subarray(headerBytes, headerBytes + slotBytes), packetAt);
  const { sampleRate, channels, application } = identity;
  if (core.exports.encoderStateValid(packetAt, sampleRate, channels, application) === 0) {
    throw badSnapshot("it is not a state that encoding leaves behind");
  }
  const duration = view.getUint32(24, true);
  if (!legalDurations.includes(duration)) throw badSnapshot(`its frame duration is ${duration}`);
  core.bytes.copyWithin(slot, packetAt, packetAt + slotBytes);
  return duration;
}

function badSnapshot(reason: string): OpusError {
  return new OpusError("opus/bad-snapshot", `The snapshot cannot be restored: ${reason}.`);
}
