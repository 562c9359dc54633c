import type { Archive, ArchivePosition } from "@longwave/archive";
import { type SampleEncoding, WavEncoder } from "@longwave/media";
import { CliError } from "../errors.ts";
import { progress } from "../output.ts";
import { lengthText } from "./format.ts";
import { parsePosition } from "./position.ts";
import { withArchive } from "./with-archive.ts";
import { writeOutput } from "./write-output.ts";

/** Sample frames decoded and written at once. */
const pieceFrames = 480_000;

/** `longwave archive extract STORE ID`: a range as WAV. */
export async function extract(
  store: string,
  id: string,
  options: { from: string; to?: string; output: string; format: string; json?: boolean },
): Promise<void> {
  if (!["s16", "s24", "f32"].includes(options.format)) {
    throw new CliError("cli/bad-argument", "usage", `--format is s16, s24 or f32, not ${options.format}.`);
  }
  await withArchive(
    store,
    async (archive) => {
      const info = await archive.info(id);
      const to = options.to === undefined ? info.frames : parsePosition(options.to);
      const range = await samplesOf(archive, id, parsePosition(options.from), to);
      const report = await writeWav(archive, id, range, options.output, options.format as SampleEncoding);
      if (options.json === true) process.stderr.write(`${JSON.stringify({ id, ...range, ...report })}\n`);
      else progress(`${lengthText(range.end - range.start)} written, exact: ${report.exact ? "yes" : "no"}`);
    },
    { mustExist: true },
  );
}

/** Wall-clock ends become samples; a start without an end of its kind is refused by the archive. */
async function samplesOf(archive: Archive, id: string, from: ArchivePosition, to: ArchivePosition) {
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
): Promise<{ exact: boolean; packetsDecoded: number; requests: number }> {
  const { channels } = await archive.info(id);
  const encoder = new WavEncoder({ sampleRate: 48_000, channels, encoding });
  const total = { exact: true, packetsDecoded: 0, requests: 0 };
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield encoder.header(range.end - range.start);
    for (let at = range.start; at < range.end; at += pieceFrames) {
      const { pcm, report } = await archive.read(id, { from: at, to: Math.min(range.end, at + pieceFrames) });
      total.exact &&= report.exact;
      total.packetsDecoded += report.packetsDecoded;
      total.requests += report.requests;
      const bytes = new Uint8Array((pcm.length / channels) * encoder.frameBytes);
      encoder.write(pcm, pcm.length / channels, bytes);
      yield bytes;
    }
    yield encoder.trailer();
  }
  await writeOutput(output, pieces());
  return total;
}
