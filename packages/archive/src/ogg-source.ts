import {
  type ByteSource,
  OggOpusReader,
  type OpusFileReader,
  type OpusTags,
  openOpusFile,
  writeOpusTags,
} from "@longwave/media";
import { ArchiveError } from "./errors.ts";
import type { ImportSource } from "./import-recording.ts";
import type { PacketItem } from "./packet-item.ts";

/** An Opus file as a source of an import, with what its headers say. */
export interface OggSource extends ImportSource {
  readonly tags: OpusTags;
  /** The comment header of the first link, byte for byte as it would be written. */
  readonly rawMetadata: ReadonlyMap<string, Uint8Array>;
  /** True after `items` came to its end in the middle of a page or a packet. */
  readonly truncated: boolean;
  /** Bytes that belonged to no whole page. */
  readonly damagedBytes: number;
}

/** Stands for a gap whose length the container does not tell. */
const unknownGapFrames = 960;

/**
 * Opens an Ogg Opus file: every link becomes a segment, holes and empty packets become losses, the end trim is kept.
 *
 * @param bytes the file, whole or in pieces; read once
 * @throws ArchiveError `archive/multistream`; MediaError `media/not-opus`, `media/limit`
 */
export async function openOggSource(bytes: ByteSource): Promise<OggSource> {
  return sourceOf(await OggOpusReader.open(bytes));
}

/** The same for Ogg or WebM (Matroska), told apart by their first bytes. @throws MediaError `media/webm-malformed` besides */
export async function openOpusSource(bytes: ByteSource): Promise<OggSource> {
  const reader = await openOpusFile(bytes);
  return sourceOf(reader);
}

function sourceOf(reader: OpusFileReader): OggSource {
  const first = reader.links[0]!;
  const { channels, family } = first.head;
  if (family !== 0 || (channels !== 1 && channels !== 2)) {
    throw new ArchiveError(
      "archive/multistream",
      `The stream has ${channels} channels in mapping family ${family}; mono and stereo of family 0 can be archived.`,
    );
  }
  const hasTags = first.tags.vendor !== "" || first.tags.comments.length > 0;
  return {
    channels,
    tags: first.tags,
    rawMetadata: new Map(hasTags ? [["OpusTags", writeOpusTags(first.tags)]] : []),
    get truncated() {
      return reader.report.truncated;
    },
    get damagedBytes() {
      return reader.report.damagedBytes;
    },
    items: () => opusItems(reader),
  };
}

async function* opusItems(reader: OpusFileReader): AsyncGenerator<PacketItem> {
  let link = -1;
  let lastFrames = unknownGapFrames;
  for await (const packet of reader.packets()) {
    while (link < packet.link) {
      link++;
      yield { type: "segment", head: reader.links[link]!.head };
    }
    if (packet.gapBefore > 0) yield { type: "loss", frames: packet.gapBefore };
    if (packet.data.length === 0) {
      yield { type: "loss", frames: packet.frames || lastFrames };
      continue;
    }
    if (packet.frames > 0) lastFrames = packet.frames;
    yield { type: "packet", data: packet.data, ...(packet.trimEnd > 0 ? { trimEnd: packet.trimEnd } : {}) };
  }
}
