import { type ChunkLayout, chunkHeaderBytes, chunkMagic, chunkTrailerBytes } from "./chunk-format.ts";

/** How far a stored chunk reaches, by its header or trailer alone. */
export interface ChunkExtent {
  /** From its first byte to its last, shared ones included; without the checksum behind it. */
  readonly bytes: number;
  readonly firstSample: number;
  /** Of the packets that the chunk before holds, and of what lies between them and its own bytes. */
  readonly sharedBytes: number;
  readonly between: number;
}

/**
 * Reads it from the header (`apart`) or trailer (`overlapping`) of a chunk. Only the magic is checked: what was found has to prove itself
 * by its hashes. Undefined where there is none.
 */
export function storedChunkExtent(fixed: Uint8Array, layout: ChunkLayout): ChunkExtent | undefined {
  const fixedBytes = layout === "apart" ? chunkHeaderBytes : chunkTrailerBytes;
  if (fixed.length !== fixedBytes) return undefined;
  const view = new DataView(fixed.buffer, fixed.byteOffset, fixed.length);
  if (view.getUint32(0, true) !== chunkMagic) return undefined;
  const [sharedBytes, between] =
    layout === "apart" ? [0, 0] : [view.getUint32(64, true), view.getUint32(68, true)];
  let bytes = fixedBytes + between;
  for (let i = 0; i < 5; i++) bytes += view.getUint32(40 + 4 * i, true);
  const firstSample = view.getUint32(24, true) + view.getUint32(28, true) * 0x1_0000_0000;
  return { bytes, firstSample, sharedBytes, between };
}
