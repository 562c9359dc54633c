import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import {
  type Archive,
  framedPackets,
  type ImportPlan,
  type ImportSource,
  openOpusSource,
  type PacketFraming,
  type PacketItem,
  type RateMode,
  type RecordingInfo,
  type SourceInfo,
} from "@longwave/archive";
import { newUlid, openAudioInput } from "@longwave/archive/node";
import { isLongwaveError } from "@longwave/base";
import { systemErrorKind, systemReason } from "@longwave/base/node";
import { plainOpusHead } from "@longwave/media";
import { OpusEncoder } from "@longwave/opus";
import { parseDurationUs } from "../duration.ts";
import { CliError } from "../errors.ts";
import { printLine } from "../output.ts";
import { indexShare, lengthText } from "./format.ts";
import { ImportProgress } from "./import-progress.ts";
import { parseTimeNs } from "./position.ts";
import { withArchive } from "./with-archive.ts";

export interface ImportCommandOptions {
  readonly framing?: PacketFraming;
  readonly channels: string;
  readonly startTime?: string;
  readonly chunk?: string;
  readonly resume?: boolean;
  readonly strict?: boolean;
  readonly plan?: boolean;
  readonly lossy?: boolean;
  readonly yes?: boolean;
  readonly bitrate?: string;
  readonly rate?: RateMode;
  readonly v2Compat?: boolean;
  readonly overlapPreRoll?: boolean;
  readonly keepOriginal?: boolean;
  readonly checkpointEvery?: string;
  readonly json?: boolean;
}

/** What an input brings along besides its packets. */
export interface Input {
  readonly open: () => Promise<ImportSource>;
  readonly plan?: ImportPlan | undefined;
  readonly source: SourceInfo;
  /** The input as it is. */
  readonly bytes: () => AsyncIterable<Uint8Array>;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly rawMetadata?: ReadonlyMap<string, Uint8Array>;
  readonly anchors?: RecordingInfo["anchors"];
}

/** `longwave archive import STORE FILE...`: one line (or JSON object) a file. */
export async function importFiles(
  store: string,
  files: readonly string[],
  options: ImportCommandOptions,
): Promise<void> {
  if (options.plan === true) {
    for (const file of files) await showPlan(file, options);
    return;
  }
  await withArchive(
    store,
    async (archive) => {
      for (const file of files) await importOne(archive, file, options);
      await archive.consolidate();
    },
    { newId: newUlid },
  );
}

async function importOne(archive: Archive, file: string, options: ImportCommandOptions): Promise<void> {
  const chunkFrames = options.chunk === undefined ? undefined : framesOf(options.chunk);
  const startTimeNs = options.startTime === undefined ? undefined : parseTimeNs(options.startTime);
  const input = await openInput(file, options);
  const source = await input.open();
  const progress = new ImportProgress(basename(file), await expectedFrames(file, input));
  const { info, duplicate } = await archive.import(source, {
    source: input.source,
    ...(input.metadata && { metadata: input.metadata }),
    ...(input.rawMetadata && { rawMetadata: input.rawMetadata }),
    ...(chunkFrames !== undefined && { chunkFrames }),
    ...(startTimeNs === undefined ? { anchors: input.anchors ?? [] } : { startTimeNs }),
    ...(options.v2Compat === true && { v2Twin: true }),
    ...(options.overlapPreRoll === true && { overlap: true }),
    ...(options.keepOriginal === true && { original: input.bytes }),
    ...(options.checkpointEvery !== undefined && { checkpointFrames: framesOf(options.checkpointEvery) }),
    resume: options.resume === true,
    strict: options.strict === true,
    onProgress: (frames) => progress.at(frames),
  });
  progress.end();
  if (options.json === true) printLine(JSON.stringify({ file, duplicate, ...info }));
  else if (duplicate) printLine(`${file}: already there as ${info.id}`);
  else {
    const { provenPoints, points, checkpoints } = info.counts;
    printLine(
      `${file}: ${info.id}, ${lengthText(info.frames)}, ${provenPoints} of ${points} seek points proven, ` +
        `${checkpoints} states, index ${indexShare(info).toFixed(2)} %`,
    );
  }
}

/** Says what an import would do, and does nothing. */
async function showPlan(file: string, options: ImportCommandOptions): Promise<void> {
  const { plan, source, metadata, anchors } = await openInput(file, options);
  if (options.json === true) {
    printLine(JSON.stringify({ file, source, plan: plan ?? { mode: "copy" }, metadata, anchors }));
    return;
  }
  if (plan === undefined) {
    printLine(`${file}: ${source.container}, copied packet by packet`);
    return;
  }
  const { expansion, mode, sampleRateHz, channels, bitrateBps, seconds, bytes, warnings } = plan;
  const length = seconds === undefined ? "unknown length" : lengthText(Math.round(seconds * 48_000));
  const size = bytes === undefined ? "" : `, about ${(bytes / 1e6).toFixed(1)} MB`;
  printLine(
    `${file}: ${plan.container}, ${sampleRateHz} Hz, ${channels} channels, ${length}: ${mode}` +
      `${mode === "expand" ? ` ${expansion.numerator}/${expansion.denominator}` : ""}, Opus at ${bitrateBps / 1000} kbit/s${size}`,
  );
  for (const warning of warnings) printLine(`  ${warning}`);
}

/** Packet lists and standard input are read whole; files are looked at, then streamed. */
export async function openInput(file: string, options: ImportCommandOptions): Promise<Input> {
  try {
    if (options.framing !== undefined || file === "-") return await inMemory(file, options);
    const bitrateBps = options.bitrate === undefined ? undefined : parseBitrate(options.bitrate);
    const input = await openAudioInput(file, {
      encoder: ({ channels, bitrateBps: rate }) => new OpusEncoder({ channels, bitrateBps: rate }),
      acceptLossy: options.lossy === true || options.yes === true,
      ...(bitrateBps !== undefined && { bitrateBps }),
      ...(options.rate !== undefined && { mode: options.rate }),
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

async function inMemory(file: string, options: ImportCommandOptions): Promise<Input> {
  const bytes = await readFile(file === "-" ? "/dev/stdin" : file);
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
  options: Pick<ImportCommandOptions, "channels">,
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

/** Sample frames that the import will have, as far as that is known in front. */
async function expectedFrames(file: string, input: Input): Promise<number | undefined> {
  const { plan } = input;
  if (plan?.seconds !== undefined) {
    return plan.seconds * 48_000 * (plan.expansion.numerator / plan.expansion.denominator);
  }
  if (input.source.container !== "ogg-opus") return undefined;
  return lastGranule(file, (await stat(file)).size);
}

/** Granule position of the last page of an Ogg file: its length, pre-skip included, of the last link. */
async function lastGranule(file: string, size: number): Promise<number | undefined> {
  const handle = await open(file);
  try {
    const length = Math.min(size, 1 << 16);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    const at = buffer.lastIndexOf("OggS");
    if (at < 0 || at + 14 > length) return undefined;
    const granule = Number(buffer.readBigInt64LE(at + 6));
    return granule > 0 ? granule : undefined;
  } finally {
    await handle.close();
  }
}

function framesOf(duration: string): number {
  return Math.round((parseDurationUs(duration) * 48) / 1000);
}

function parseBitrate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(k?)$/i.exec(text);
  const bps = match === null ? Number.NaN : Number(match[1]) * (match[2] === "" ? 1 : 1000);
  if (bps >= 6000 && bps <= 510_000) return Math.round(bps);
  throw new CliError("cli/bad-argument", "usage", `--bitrate is 6k to 510k, not ${text}.`);
}
