import { createReadStream } from "node:fs";
import { systemErrorKind, systemReason } from "@longwave/base/node";
import { type OpusHead, openOpusFile } from "@longwave/media";
import { CliError } from "../errors.ts";

/** A packet on its way to the decoder. */
export interface SourcePacket {
  /** Empty = lost. */
  readonly data: Uint8Array;
  /** Frames at 48 kHz that are missing before it. */
  readonly gapBefore: number;
  /** Frames at 48 kHz to drop from its start and end. */
  readonly skipStart: number;
  readonly trimEnd: number;
  /** Set where a stream begins: the decoder starts afresh. */
  readonly head: OpusHead | undefined;
}

/** Most bytes of a `.bit` file. */
const maxBitBytes = 1 << 30;

/** What a reader has to say of the container when all is read. */
export type ContainerReport = Awaited<ReturnType<typeof openOpusFile>>["report"];

/** Opens an Ogg or WebM Opus file, a `.bit` file of the conformance suite, or standard input (`-`). */
export async function* readPackets(
  input: string,
  onEnd: (report: ContainerReport) => void = () => undefined,
): AsyncGenerator<SourcePacket> {
  const stream = input === "-" ? process.stdin : createReadStream(input);
  const pieces = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  const first = await firstPiece(pieces, input);
  if (isContainer(first)) yield* filePackets(chained(first, pieces), onEnd);
  else yield* bitPackets(await collect(chained(first, pieces)), input);
}

/** At least 8 bytes; a pipe may hand out fewer at a time. */
async function firstPiece(pieces: AsyncIterator<Uint8Array>, input: string): Promise<Buffer> {
  let first = Buffer.alloc(0);
  try {
    while (first.length < 8) {
      const { done, value } = await pieces.next();
      if (done) throw new CliError("cli/not-opus", "malformed", `${input} is too short for an Opus file.`);
      first = Buffer.concat([first, value]);
    }
    return first;
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError(
      "cli/bad-argument",
      systemErrorKind(cause),
      `${input} cannot be read: ${systemReason(cause)}.`,
      {
        cause,
      },
    );
  }
}

/** Ogg or WebM; also where something else stands before the first Ogg page, which no `.bit` file can begin with. */
function isContainer(first: Buffer): boolean {
  if (first.subarray(0, 4).equals(ebmlMagic) || first.subarray(0, 4).equals(oggMagic)) return true;
  return first.readUInt32BE(0) > maxBitPacketBytes && first.includes(oggMagic);
}

const oggMagic = Buffer.from("OggS");
const ebmlMagic = Buffer.of(0x1a, 0x45, 0xdf, 0xa3);
/** More than any packet of a `.bit` file has: 48 frames of 1275 bytes. */
const maxBitPacketBytes = 1 << 17;

async function* chained(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  for (;;) {
    const { done, value } = await rest.next();
    if (done) return;
    yield value;
  }
}

async function* filePackets(
  pieces: AsyncGenerator<Uint8Array>,
  onEnd: (report: ContainerReport) => void,
): AsyncGenerator<SourcePacket> {
  const reader = await openOpusFile(pieces);
  let link = -1;
  for await (const packet of reader.packets()) {
    const head = packet.link === link ? undefined : reader.links[packet.link]!.head;
    link = packet.link;
    yield { ...packet, head };
  }
  onEnd(reader.report);
}

async function collect(pieces: AsyncGenerator<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > maxBitBytes) {
      throw new CliError("cli/too-long", "limit", `The input is longer than ${maxBitBytes} bytes.`);
    }
    parts.push(piece);
  }
  return Buffer.concat(parts);
}

/** [u32 length][u32 final range][packet]..., big-endian. */
function* bitPackets(bytes: Buffer, input: string): Generator<SourcePacket> {
  let at = 0;
  while (at < bytes.length) {
    const length = at + 8 <= bytes.length ? bytes.readUInt32BE(at) : Number.POSITIVE_INFINITY;
    if (at + 8 + length > bytes.length) {
      throw new CliError(
        "cli/not-opus",
        "malformed",
        `${input} is neither Ogg Opus nor a .bit file: its framing breaks at byte ${at}.`,
      );
    }
    const data = bytes.subarray(at + 8, at + 8 + length);
    const head = at === 0 ? { ...bitHead, channels: 2, mapping: Uint8Array.of(0, 1) } : undefined;
    yield { data, gapBefore: 0, skipStart: 0, trimEnd: 0, head };
    at += 8 + length;
  }
}

/** A `.bit` file has no header: stereo, nothing skipped. */
const bitHead = { preSkip: 0, inputSampleRate: 0, gainQ8: 0, family: 0, streams: 1, coupled: 1 };
