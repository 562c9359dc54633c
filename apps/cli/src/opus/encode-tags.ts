import { readFile } from "node:fs/promises";
import type { OpusTags } from "@longwave/media";
import { CliError } from "../errors.ts";
import { version } from "../version.ts";

/** Options of `longwave opus encode` that become tags. */
export interface TagOptions {
  readonly title?: string;
  readonly artist?: string;
  readonly album?: string;
  readonly tracknumber?: string;
  readonly genre?: string;
  readonly date?: string;
  readonly comment: readonly string[];
  readonly picture: readonly string[];
  readonly padding: number;
}

const named = ["title", "artist", "album", "tracknumber", "genre", "date"] as const;

/** The comment header; pictures are read. */
export async function makeTags(options: TagOptions, encoderOptions: string): Promise<OpusTags> {
  const comments = [`ENCODER=longwave ${version}`];
  if (encoderOptions !== "") comments.push(`ENCODER_OPTIONS=${encoderOptions}`);
  for (const name of named) {
    const value = options[name];
    if (value !== undefined) comments.push(`${name.toUpperCase()}=${value}`);
  }
  for (const comment of options.comment) {
    if (!/^[ -<>-}]+=/.test(comment)) {
      throw new CliError(
        "cli/bad-argument",
        "usage",
        `--comment ${comment} is no NAME=value; the name takes printable ASCII without =.`,
      );
    }
    comments.push(comment);
  }
  for (const picture of options.picture) {
    comments.push(`METADATA_BLOCK_PICTURE=${(await pictureBlock(picture)).toString("base64")}`);
  }
  return { vendor: `longwave ${version}`, comments, binary: new Uint8Array(options.padding) };
}

/** Front cover, of the picture types of ID3v2. */
const frontCover = 3;

/** A FLAC picture block (RFC 9639 section 8.8) of `FILE` or `TYPE||DESCRIPTION||FILE`, as opusenc takes them. */
async function pictureBlock(text: string): Promise<Buffer> {
  const parts = text.split("|");
  const path = parts.at(-1)!;
  const type = parts.length > 1 && parts[0] !== "" ? Number(parts[0]) : frontCover;
  const description = parts.length > 3 ? parts[2]! : "";
  if (!(Number.isInteger(type) && type >= 0 && type <= 20) || (parts.length !== 1 && parts.length !== 5)) {
    throw new CliError(
      "cli/bad-argument",
      "usage",
      `--picture ${text}: give FILE, or TYPE||DESCRIPTION||FILE with a type from 0 to 20.`,
    );
  }
  const data = await readFile(path).catch((cause: Error) => {
    throw new CliError("cli/bad-argument", "usage", `The picture ${path} cannot be read: ${cause.message}.`, {
      cause,
    });
  });
  const { mime, width, height, depth, colours } = describeImage(data, path);
  const words = (...values: number[]) => {
    const bytes = Buffer.alloc(4 * values.length);
    for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i);
    return bytes;
  };
  const mimeBytes = Buffer.from(mime, "ascii");
  const descriptionBytes = Buffer.from(description, "utf8");
  return Buffer.concat([
    words(type, mimeBytes.length),
    mimeBytes,
    words(descriptionBytes.length),
    descriptionBytes,
    words(width, height, depth, colours, data.length),
    data,
  ]);
}

interface ImageForm {
  readonly mime: string;
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  /** Of indexed pictures, else 0. */
  readonly colours: number;
}

function describeImage(data: Buffer, path: string): ImageForm {
  const form = describePng(data) ?? describeGif(data) ?? describeJpeg(data);
  if (form !== undefined) return form;
  throw new CliError("cli/bad-argument", "usage", `${path} is no PNG, JPEG or GIF picture.`);
}

function describePng(data: Buffer): ImageForm | undefined {
  if (data.length < 33 || data.toString("latin1", 0, 8) !== "\x89PNG\r\n\x1a\n") return undefined;
  const bits = data[24]!;
  const kind = data[25]!;
  const samples = [1, 0, 3, 1, 2, 0, 4][kind] ?? 1;
  const palette = kind === 3 ? data.indexOf("PLTE") : -1;
  const colours = palette > 4 ? data.readUInt32BE(palette - 4) / 3 : 0;
  const depth = kind === 3 ? 24 : bits * samples;
  return { mime: "image/png", width: data.readUInt32BE(16), height: data.readUInt32BE(20), depth, colours };
}

function describeGif(data: Buffer): ImageForm | undefined {
  if (data.length < 13 || !/^GIF8[79]a/.test(data.toString("latin1", 0, 6))) return undefined;
  const colours = 2 << (data[10]! & 7);
  return {
    mime: "image/gif",
    width: data.readUInt16LE(6),
    height: data.readUInt16LE(8),
    depth: 24,
    colours,
  };
}

function describeJpeg(data: Buffer): ImageForm | undefined {
  if (data.length < 4 || data[0] !== 0xff || data[1] !== 0xd8) return undefined;
  for (let at = 2; at + 9 < data.length && data[at] === 0xff; ) {
    const marker = data[at + 1]!;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) {
      const depth = data[at + 4]! * data[at + 9]!;
      const height = data.readUInt16BE(at + 5);
      return { mime: "image/jpeg", width: data.readUInt16BE(at + 7), height, depth, colours: 0 };
    }
    at += 2 + data.readUInt16BE(at + 2);
  }
  return undefined;
}
