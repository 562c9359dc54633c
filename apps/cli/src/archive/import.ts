import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { framedPackets, type ImportSource, type PacketFraming, type PacketItem } from "@longwave/archive";
import { newUlid } from "@longwave/archive/node";
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
        const bytes = await readInput(file);
        const source = packetSource(bytes, file, options);
        let shown = 0;
        const { info, duplicate } = await archive.import(source, {
          source: {
            name: basename(file),
            bytes: bytes.length,
            sha256: sha256(bytes),
            container: options.framing ?? "",
          },
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

function packetSource(bytes: Uint8Array, file: string, options: ImportCommandOptions): ImportSource {
  const { framing } = options;
  if (framing === undefined) {
    throw new CliError(
      "cli/bad-argument",
      "usage",
      `${file}: say how its packets are framed with --framing.`,
    );
  }
  const channels = Number(options.channels);
  if (channels !== 1 && channels !== 2) {
    throw new CliError("cli/bad-argument", "usage", `--channels is 1 or 2, not ${options.channels}.`);
  }
  const mapping = Uint8Array.from({ length: channels }, (_, i) => i);
  const shape = { channels, family: 0, streams: 1, coupled: channels - 1, mapping };
  const head = { ...shape, preSkip: 0, inputSampleRate: 48_000, gainQ8: 0 };
  function* items(): Generator<PacketItem> {
    yield { type: "segment", head };
    for (const data of framedPackets(bytes, framing!)) {
      yield data.length === 0 ? { type: "loss", frames: 960 } : { type: "packet", data };
    }
  }
  return { channels, items };
}

async function readInput(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file === "-" ? "/dev/stdin" : file);
  } catch (cause) {
    throw new CliError("cli/bad-argument", "usage", `Cannot read ${file}: ${(cause as Error).message}.`, {
      cause,
    });
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
