import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { basename } from "node:path";
import {
  framedPackets,
  type ImportPlan,
  type ImportSource,
  openOpusSource,
  type PacketFraming,
  type PacketItem,
  type RateMode,
  type RecordingInfo,
  type RecordingStart,
  type SourceInfo,
} from "@longwave/archive";
import { openAudioInput } from "@longwave/archive/node";
import { isLongwaveError } from "@longwave/base";
import { systemErrorKind, systemReason } from "@longwave/base/node";
import { plainOpusHead } from "@longwave/media";
import { OpusEncoder } from "@longwave/opus";
import { CliError } from "../errors.ts";
import { parseUtcOffset } from "./position.ts";

/** How a file is to be understood. */
export interface InputOptions {
  readonly framing?: PacketFraming;
  readonly channels: string;
  readonly bitrate?: string;
  readonly rate?: RateMode;
  readonly lossy?: boolean;
  readonly yes?: boolean;
  /** Of recorders that tell no zone. */
  readonly utcOffset?: string;
  /** The bytes are needed a second time. */
  readonly keepOriginal?: boolean;
  readonly resume?: boolean;
}

/** What an input brings along besides its packets. */
export interface Input {
  readonly open: () => Promise<ImportSource>;
  readonly plan?: ImportPlan | undefined;
  readonly source: SourceInfo;
  /** What of the source is known only when it was read to its end. */
  readonly sourceAtEnd?: () => SourceInfo;
  /** The input as it is. */
  readonly bytes: () => AsyncIterable<Uint8Array>;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly rawMetadata?: ReadonlyMap<string, Uint8Array>;
  readonly anchors?: RecordingInfo["anchors"];
  readonly start?: RecordingStart | undefined;
}

/**
 * Opens an input. Files are looked at, then streamed; so is Opus on standard input, which is hashed on its way. Packet lists, and standard
 * input that is needed twice (`--keep-original`, `--resume`), are read whole, up to a limit.
 */
export async function openInput(file: string, options: InputOptions): Promise<Input> {
  try {
    const isNeededTwice = options.keepOriginal === true || options.resume === true;
    if (file === "-" && options.framing === undefined && !isNeededTwice) return await fromStandardInput();
    if (options.framing !== undefined || file === "-") return await inMemory(file, options);
    const bitrateBps = options.bitrate === undefined ? undefined : parseBitrate(options.bitrate);
    const input = await openAudioInput(file, {
      encoder: ({ channels, bitrateBps: rate }) => new OpusEncoder({ channels, bitrateBps: rate }),
      acceptLossy: options.lossy === true || options.yes === true,
      ...(bitrateBps !== undefined && { bitrateBps }),
      ...(options.rate !== undefined && { mode: options.rate }),
      ...(options.utcOffset !== undefined && { utcOffsetMinutes: parseUtcOffset(options.utcOffset) }),
    });
    return { ...input, bytes: () => createReadStream(file, { highWaterMark: 1 << 20 }) };
  } catch (error) {
    if (isLongwaveError(error)) throw error;
    throw new CliError(
      "cli/bad-argument",
      systemErrorKind(error),
      `Cannot read ${file}: ${systemReason(error)}.`,
      {
        cause: error,
      },
    );
  }
}

async function fromStandardInput(): Promise<Input> {
  const hash = createHash("sha256");
  let bytes = 0;
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const piece of process.stdin as AsyncIterable<Uint8Array>) {
      hash.update(piece);
      bytes += piece.length;
      yield piece;
    }
  }
  const opened = await openOpusSource(hashed());
  const { vendor, comments } = opened.tags;
  return {
    open: async () => opened,
    source: { name: "-", container: "opus" },
    sourceAtEnd: () => ({ bytes, sha256: hash.digest("hex") }),
    bytes: () => {
      throw new Error("Standard input is read once.");
    },
    metadata: comments.length > 0 ? { opusTags: { vendor, comments } } : {},
    rawMetadata: opened.rawMetadata,
  };
}

/** Packet lists and standard input are held in memory up to here. */
const wholeBytes = 2 ** 30;

async function readWhole(file: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  const stream = file === "-" ? process.stdin : createReadStream(file, { highWaterMark: 1 << 20 });
  for await (const piece of stream as AsyncIterable<Uint8Array>) {
    size += piece.length;
    if (size > wholeBytes) {
      throw new CliError(
        "cli/bad-argument",
        "limit",
        `${file === "-" ? "Standard input" : file} has more than ${wholeBytes} bytes and would have to be held in memory; import an Ogg file instead.`,
      );
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

async function inMemory(file: string, options: InputOptions): Promise<Input> {
  const bytes = await readWhole(file);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const container = options.framing ?? "opus";
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  const source = { name: basename(file), bytes: bytes.length, sha256, container };
  if (options.framing !== undefined) {
    const framed = packetSource(bytes, options.framing, options);
    return { open: async () => framed, source, bytes: whole };
  }
  const opened = await openOpusSource(bytes);
  return { open: async () => opened, source, bytes: whole, rawMetadata: opened.rawMetadata };
}

function packetSource(
  bytes: Uint8Array,
  framing: PacketFraming,
  options: Pick<InputOptions, "channels">,
): ImportSource {
  const channels = Number(options.channels);
  if (channels !== 1 && channels !== 2) {
    throw new CliError("cli/bad-argument", "usage", `--channels is 1 or 2, not ${options.channels}.`);
  }
  const head = plainOpusHead(channels, 0);
  function* items(): Generator<PacketItem> {
    yield { type: "segment", head };
    for (const data of framedPackets(bytes, framing)) {
      yield data.length === 0 ? { type: "loss", frames: 960 } : { type: "packet", data };
    }
  }
  return { channels, items };
}

function parseBitrate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(k?)$/i.exec(text);
  const bps = match === null ? Number.NaN : Number(match[1]) * (match[2] === "" ? 1 : 1000);
  if (bps >= 6000 && bps <= 510_000) return Math.round(bps);
  throw new CliError("cli/bad-argument", "usage", `--bitrate is 6k to 510k, not ${text}.`);
}
