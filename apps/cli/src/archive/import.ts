import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import {
  framedPackets,
  type ImportSource,
  openOggSource,
  type PacketFraming,
  type PacketItem,
} from "@longwave/archive";
import { newUlid } from "@longwave/archive/node";
import { isLongwaveError } from "@longwave/base";
import { plainOpusHead } from "@longwave/media";
import { parseDurationUs } from "../duration.ts";
import { CliError } from "../errors.ts";
import { printLine, progress } from "../output.ts";
import { indexShare, lengthText } from "./format.ts";
import { parseTimeNs } from "./position.ts";
import { withArchive } from "./with-archive.ts";

export interface ImportCommandOptions {
  readonly framing?: PacketFraming;
  readonly channels: string;
  readonly startTime?: string;
  readonly chunk?: string;
  readonly resume?: boolean;
  readonly json?: boolean;
}

/** `longwave archive import STORE FILE...`: one line (or JSON object) a file. */
export async function importFiles(
  store: string,
  files: readonly string[],
  options: ImportCommandOptions,
): Promise<void> {
  const chunkFrames =
    options.chunk === undefined ? undefined : Math.round((parseDurationUs(options.chunk) * 48) / 1000);
  const startTimeNs = options.startTime === undefined ? undefined : parseTimeNs(options.startTime);
  await withArchive(
    store,
    async (archive) => {
      for (const file of files) {
        const { source, container, bytes, sha256, rawMetadata } = await openInput(file, options);
        let shown = 0;
        const { info, duplicate } = await archive.import(source, {
          source: { name: basename(file), bytes, sha256, container },
          ...(rawMetadata && { rawMetadata }),
          ...(chunkFrames !== undefined && { chunkFrames }),
          ...(startTimeNs !== undefined && { startTimeNs }),
          resume: options.resume === true,
          onProgress: (frames) => {
            if (frames - shown < 600 * 48_000) return;
            shown = frames;
            progress(`${basename(file)}: ${lengthText(frames)}`);
          },
        });
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
      await archive.consolidate();
    },
    { newId: newUlid },
  );
}

interface Input {
  readonly source: ImportSource;
  readonly container: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly rawMetadata?: ReadonlyMap<string, Uint8Array>;
}

/** Packet lists are read whole; Ogg is hashed in a first pass and streamed in a second one. */
async function openInput(file: string, options: ImportCommandOptions): Promise<Input> {
  if (options.framing !== undefined || file === "-") {
    const bytes = await readInput(file);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    if (options.framing === undefined) {
      const source = await openOggSource(bytes);
      return { source, container: "ogg", bytes: bytes.length, sha256, rawMetadata: source.rawMetadata };
    }
    const source = packetSource(bytes, options.framing, options);
    return { source, container: options.framing, bytes: bytes.length, sha256 };
  }
  try {
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const piece of createReadStream(file)) {
      hash.update(piece);
      bytes += piece.length;
    }
    const source = await openOggSource(createReadStream(file));
    return { source, container: "ogg", bytes, sha256: hash.digest("hex"), rawMetadata: source.rawMetadata };
  } catch (error) {
    throw unreadable(file, error);
  }
}

function packetSource(
  bytes: Uint8Array,
  framing: PacketFraming,
  options: ImportCommandOptions,
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

async function readInput(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file === "-" ? "/dev/stdin" : file);
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** System errors become one message; ours pass. */
function unreadable(file: string, error: unknown): unknown {
  if (isLongwaveError(error)) return error;
  return new CliError("cli/bad-argument", "usage", `Cannot read ${file}: ${(error as Error).message}.`, {
    cause: error,
  });
}
