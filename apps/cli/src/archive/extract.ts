import { mkdir, readFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import type { Archive, ArchivePosition, ReadRequest } from "@longwave/archive";
import { encodeWav, type SampleEncoding, WavEncoder } from "@longwave/media";
import { CliError } from "../errors.ts";
import { printLine, progress } from "../output.ts";
import { replaceFile } from "../replace-file.ts";
import { lengthText } from "./format.ts";
import { parsePosition } from "./position.ts";
import { withArchive } from "./with-archive.ts";
import { writeOutput } from "./write-output.ts";

/** Sample frames decoded and written at once. */
const pieceFrames = 480_000;

export interface ExtractOptions {
  readonly from: string;
  readonly to?: string;
  readonly output: string;
  readonly format: string;
  readonly raw?: boolean;
  readonly verify?: boolean;
  readonly requests?: string;
  readonly json?: boolean;
}

/** `longwave archive extract STORE [ID]`: a range as WAV, or many of them. */
export async function extract(store: string, id: string | undefined, options: ExtractOptions): Promise<void> {
  if (!["s16", "s24", "f32"].includes(options.format)) {
    throw new CliError("cli/bad-argument", "usage", `--format is s16, s24 or f32, not ${options.format}.`);
  }
  if ((id === undefined) === (options.requests === undefined)) {
    throw new CliError("cli/bad-argument", "usage", "Name a recording, or give --requests, not both.");
  }
  await withArchive(
    store,
    (archive) => (id === undefined ? extractMany(archive, options) : extractOne(archive, id, options)),
    { mustExist: true },
  );
}

async function extractOne(archive: Archive, id: string, options: ExtractOptions): Promise<void> {
  const info = await archive.info(id);
  const to = options.to === undefined ? info.frames : parsePosition(options.to);
  const range = await samplesOf(archive, id, parsePosition(options.from), to);
  const encoding = options.format as SampleEncoding;
  const report = await writeWav(archive, id, range, options.output, encoding, options);
  if (options.json === true) process.stderr.write(`${JSON.stringify({ id, ...range, ...report })}\n`);
  else progress(`${lengthText(range.end - range.start)} written, exact: ${report.exact ? "yes" : "no"}`);
}

/** Clips of a file of requests (JSON lines), each a WAV file in the output folder. */
async function extractMany(archive: Archive, options: ExtractOptions): Promise<void> {
  if (options.output === "-") {
    throw new CliError(
      "cli/bad-argument",
      "usage",
      "--requests writes many files: name their folder with -o.",
    );
  }
  const lines = (await readFile(options.requests!, "utf8")).split("\n").filter((line) => line.trim() !== "");
  const requests = lines.map((line, i) => parseRequest(line, i + 1));
  let at = 0;
  for await (const clip of archive.readMany(requests, {})) {
    const { file } = requests[at++]!;
    const path = join(options.output, file);
    await mkdir(dirname(path), { recursive: true });
    const { channels, pcm } = clip;
    const encoding = options.format as SampleEncoding;
    await replaceFile(path, encodeWav(pcm, { sampleRate: 48_000, channels, encoding }));
    if (options.json === true)
      printLine(JSON.stringify({ id: clip.id, file, start: clip.start, ...clip.report }));
  }
  progress(`${at} clips written`);
}

function parseRequest(line: string, number: number): ReadRequest & { readonly file: string } {
  const { id, from, to, file } = objectOf(line);
  const isPlace = (value: unknown) => typeof value === "string" || typeof value === "number";
  const isInside = typeof file === "string" && !isAbsolute(file) && !file.split(/[\\/]/).includes("..");
  if (typeof id !== "string" || !isPlace(from) || !isPlace(to) || !isInside) {
    throw new CliError(
      "cli/bad-argument",
      "usage",
      `Line ${number} is no request; write {"id": "...", "from": "1:30", "to": "1:31", "file": "clip.wav"}.`,
    );
  }
  return { id, file, from: parsePosition(String(from)), to: parsePosition(String(to)) };
}

/** The fields of a JSON object; none where it is not one. */
function objectOf(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Wall-clock ends become samples; a start without an end of its kind is refused by the archive. */
export async function samplesOf(
  archive: Archive,
  id: string,
  from: ArchivePosition,
  to: ArchivePosition,
): Promise<{ start: number; end: number }> {
  const bothWall = typeof from !== "number" && typeof to === "number";
  const end = bothWall ? { unixNs: 1n << 62n } : to;
  return archive.rangeOf(id, { from, to: end });
}

/** Writes `[start, end)` as WAV, piece by piece; says what the reads were. */
export async function writeWav(
  archive: Archive,
  id: string,
  range: { start: number; end: number },
  output: string,
  encoding: SampleEncoding,
  options: { readonly verify?: boolean; readonly raw?: boolean } = {},
): Promise<{ exact: boolean; packetsDecoded: number; requests: number; bytes: number }> {
  const { channels } = await archive.info(id);
  const encoder = new WavEncoder({ sampleRate: 48_000, channels, encoding });
  const verify = options.verify === true;
  const total = { exact: true, packetsDecoded: 0, requests: 0, bytes: 0 };
  async function* pieces(): AsyncGenerator<Uint8Array> {
    if (options.raw !== true) {
      const header = encoder.header(range.end - range.start);
      total.bytes += header.length;
      yield header;
    }
    for (let at = range.start; at < range.end; at += pieceFrames) {
      const { pcm, report } = await archive.read(id, {
        from: at,
        to: Math.min(range.end, at + pieceFrames),
        verify,
      });
      total.exact &&= report.exact;
      total.packetsDecoded += report.packetsDecoded;
      total.requests += report.requests;
      const bytes = new Uint8Array((pcm.length / channels) * encoder.frameBytes);
      encoder.write(pcm, pcm.length / channels, bytes);
      total.bytes += bytes.length;
      yield bytes;
    }
    if (options.raw === true) return;
    const trailer = encoder.trailer();
    total.bytes += trailer.length;
    yield trailer;
  }
  await writeOutput(output, pieces());
  return total;
}
