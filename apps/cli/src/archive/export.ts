import { type Archive, clipPages, oggPages, webmPieces } from "@longwave/archive";
import { CliError } from "../errors.ts";
import { printLine } from "../output.ts";
import { samplesOf, writeWav } from "./extract.ts";
import { parsePosition } from "./position.ts";
import { withArchive } from "./with-archive.ts";
import { writeOutput } from "./write-output.ts";

export interface ExportOptions {
  readonly output: string;
  readonly format: "ogg" | "webm" | "packets" | "wav" | "original";
  readonly from?: string;
  readonly to?: string;
  readonly json?: boolean;
}

/** `longwave archive export STORE ID`: the whole recording, or a part of it as Ogg Opus or WAV. */
export async function exportRecording(store: string, id: string, options: ExportOptions): Promise<void> {
  const isPart = options.from !== undefined || options.to !== undefined;
  if (isPart && options.format !== "ogg" && options.format !== "wav") {
    throw new CliError(
      "cli/bad-argument",
      "usage",
      `--format ${options.format} is for whole recordings; a part can be ogg or wav.`,
    );
  }
  await withArchive(
    store,
    async (archive) => {
      const info = await archive.info(id);
      const range = isPart
        ? await samplesOf(archive, id, parsePosition(options.from ?? "0"), endOf(options.to, info.frames))
        : { start: 0, end: info.frames };
      const counted = { bytes: 0 };
      if (options.format === "wav") {
        const { bytes } = await writeWav(archive, id, range, options.output, "s16");
        counted.bytes = bytes;
      } else {
        const pieces =
          options.format === "packets"
            ? framed(archive, id)
            : options.format === "webm"
              ? webmPieces(info, archive.packets(id))
              : options.format === "original"
                ? archive.original(id)
                : isPart
                  ? clipPages(archive, id, range, { exact: true })
                  : oggPages(info, archive.packets(id));
        await writeOutput(options.output, counting(pieces, counted));
      }
      if (options.json !== true) return;
      const { format, output } = options;
      const line = JSON.stringify({ id, format, output, ...range, bytes: counted.bytes });
      // Standard output may be the sound itself.
      if (output === "-") process.stderr.write(`${line}\n`);
      else printLine(line);
    },
    { mustExist: true },
  );
}

function endOf(to: string | undefined, frames: number) {
  return to === undefined ? frames : parsePosition(to);
}

async function* counting(
  pieces: AsyncIterable<Uint8Array>,
  into: { bytes: number },
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    into.bytes += piece.length;
    yield piece;
  }
}

/** u32 big-endian length and bytes; a loss is a length of 0 per piece. */
async function* framed(archive: Archive, id: string): AsyncGenerator<Uint8Array> {
  for await (const item of archive.packets(id)) {
    if (item.type === "segment") continue;
    const data = item.type === "packet" ? item.data : new Uint8Array(0);
    const bytes = new Uint8Array(4 + data.length);
    new DataView(bytes.buffer).setUint32(0, data.length);
    bytes.set(data, 4);
    yield bytes;
  }
}
