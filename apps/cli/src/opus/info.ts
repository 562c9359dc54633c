import { createReadStream } from "node:fs";
import { isLongwaveError } from "@longwave/base";
import { systemErrorKind, systemReason } from "@longwave/base/node";
import {
  type OpusFileReader,
  type OpusGap,
  type OpusTags,
  openOpusFile,
  opusR128Gain,
} from "@longwave/media";
import { createPacketInfo, parsePacket, splitMultistreamPacket } from "@longwave/opus";
import { CliError } from "../errors.ts";
import { printLine, printResult } from "../output.ts";
import { PacketInspector, packetLine } from "./packet-inspector.ts";

export interface OpusInfoOptions {
  readonly json?: boolean;
  readonly packets?: boolean;
  readonly trace?: boolean;
}

/** What `longwave opus info` tells of one link. */
class LinkSummary {
  packets = 0;
  lost = 0;
  malformed = 0;
  bytes = 0;
  frames48k = 0;
  heardFrames48k = 0;
  lbrr = 0;
  padding = 0;
  readonly modes: Record<string, number> = {};
  readonly bandwidths: Record<string, number> = {};
  readonly packetMs: Record<string, number> = {};
}

/** `longwave opus info IN`: streams, headers, tags, lengths, what the packets are, what is wrong. */
export async function info(input: string, options: OpusInfoOptions): Promise<void> {
  const reader = await openOpusFile(input === "-" ? process.stdin : bytesOf(input));
  if (options.packets || options.trace) {
    await printPackets(reader, options.trace === true);
    return;
  }
  const packet = createPacketInfo();
  const links: LinkSummary[] = [];
  for await (const each of reader.packets()) {
    const link = (links[each.link] ??= new LinkSummary());
    const { streams } = reader.links[each.link]!.head;
    const count = each.data.length === 0 ? 0 : parsePacket(firstStream(each.data, streams), packet);
    link.packets++;
    link.bytes += each.data.length;
    link.frames48k += each.frames;
    link.heardFrames48k += each.frames - each.skipStart - each.trimEnd;
    if (each.data.length === 0) link.lost++;
    else if (count < 0) link.malformed++;
    else {
      add(link.modes, packet.mode);
      add(link.bandwidths, packet.bandwidth);
      add(link.packetMs, String(packet.frames48k / 48));
      if (packet.hasLbrr) link.lbrr++;
      link.padding += packet.padding;
    }
  }
  const { report } = reader;
  const described = reader.links.map((link, i) => describe(link, links[i] ?? new LinkSummary()));
  const warnings = [
    ...(report.truncated ? ["the file ends before its last page or inside an element"] : []),
    ...(report.damagedBytes > 0 ? [`${report.damagedBytes} bytes belong to no whole page`] : []),
    ...(report.gaps > 0 ? [`${report.gaps} gaps, ${seconds(report.gapFrames)} s missing`] : []),
    ...report.firstGaps.map(gapLine),
    ...described.flatMap(({ preSkip }, i) =>
      preSkip < shortestPreSkip ? [`stream ${i}: a pre-skip of ${preSkip} is implausibly low`] : [],
    ),
    ...described.flatMap(({ malformed }, i) =>
      malformed > 0 ? [`stream ${i}: ${malformed} malformed packets`] : [],
    ),
  ];
  printResult(options.json === true, { links: described, ...report, warnings }, () => [
    ...described.flatMap((link, i) => linkLines(link, i)),
    ...warnings.map((warning) => `warning: ${warning}`),
  ]);
}

/** The least look-ahead of an encoder: 2.5 ms at 48 kHz. */
const shortestPreSkip = 120;

function gapLine({ link, frames, page }: OpusGap): string {
  const where = page === undefined ? "" : ` at page ${page}`;
  return `stream ${link}: ${frames === 0 ? "a gap of unknown length" : `${seconds(frames)} s missing`}${where}`;
}

/** The packet of the first stream, which tells mode and duration; empty, hence malformed, where it cannot be taken apart. */
function firstStream(data: Uint8Array, streams: number): Uint8Array {
  if (streams === 1) return data;
  try {
    return splitMultistreamPacket(data, streams)[0]!;
  } catch (error) {
    if (isLongwaveError(error, "opus/invalid-packet")) return new Uint8Array(0);
    throw error;
  }
}

async function printPackets(reader: OpusFileReader, withTrace: boolean): Promise<void> {
  let index = 0;
  let link = -1;
  let inspector: PacketInspector | undefined;
  try {
    for await (const packet of reader.packets()) {
      if (packet.link !== link) {
        link = packet.link;
        inspector?.close();
        inspector = new PacketInspector(reader.links[link]!.head);
      }
      printLine(JSON.stringify(packetLine(index++, packet, inspector!, withTrace)));
    }
  } finally {
    inspector?.close();
  }
}

async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of createReadStream(path)) yield piece as Uint8Array;
  } catch (cause) {
    throw new CliError(
      "cli/bad-argument",
      systemErrorKind(cause),
      `${path} cannot be read: ${systemReason(cause)}.`,
      {
        cause,
      },
    );
  }
}

type Link = Awaited<ReturnType<typeof openOpusFile>>["links"][number];

function describe({ head, tags, serial, startGranule }: Link, link: LinkSummary) {
  const { channels, preSkip, inputSampleRate, gainQ8, family, streams, coupled } = head;
  return {
    serial,
    channels,
    preSkip,
    inputSampleRate,
    gainDb: gainQ8 / 256,
    family,
    streams,
    coupled,
    startSeconds: startGranule / 48_000,
    vendor: tags.vendor,
    comments: tags.comments,
    r128TrackGainDb: gain(tags, "track"),
    r128AlbumGainDb: gain(tags, "album"),
    ...link,
    durationSeconds: link.heardFrames48k / 48_000,
    bitrateBps: link.frames48k === 0 ? 0 : Math.round((link.bytes * 8 * 48_000) / link.frames48k),
  };
}

function gain(tags: OpusTags, of: "track" | "album"): number | undefined {
  const q8 = opusR128Gain(tags, of);
  return q8 === undefined ? undefined : q8 / 256;
}

function linkLines(link: ReturnType<typeof describe>, index: number): string[] {
  return [
    `stream ${index}, serial ${link.serial}`,
    `  ${link.channels} channels, family ${link.family}, ${link.streams} streams (${link.coupled} coupled)`,
    `  pre-skip ${link.preSkip}, input rate ${link.inputSampleRate} Hz, gain ${link.gainDb} dB`,
    `  ${seconds(link.heardFrames48k)} s, ${link.heardFrames48k} frames, ${(link.bitrateBps / 1000).toFixed(1)} kbit/s`,
    `  ${link.packets} packets: ${histogram(link.packetMs, " ms")}; ${histogram(link.modes)}; ${histogram(link.bandwidths)}`,
    `  ${link.lbrr} with FEC, ${link.lost} marked lost, ${link.padding} bytes of padding`,
    `  vendor ${printable(link.vendor)}`,
    ...link.comments.map((comment) => `  ${printable(comment)}`),
  ];
}

/** Text of a file for a terminal: no control characters, and of a picture in a comment only the start. */
function printable(text: string): string {
  const shown = text.length > maxShown ? `${text.slice(0, maxShown)}... (${text.length} characters)` : text;
  return shown.replace(/\p{Cc}/gu, (character) => (character === "\n" ? "\n    " : "\ufffd"));
}

const maxShown = 1000;

function histogram(counts: Readonly<Record<string, number>>, unit = ""): string {
  const entries = Object.entries(counts).sort((a, b) => b[1] - a[1]);
  return entries.map(([name, count]) => `${name}${unit} x ${count}`).join(", ") || "none";
}

function add(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

function seconds(frames: number): string {
  return (frames / 48_000).toFixed(3);
}
