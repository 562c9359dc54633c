import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Archive } from "@longwave/archive";
import { DirectoryStore } from "@longwave/base/node";
import { createSeekableDecoder } from "@longwave/opus";
import { opusStream, streamKinds } from "@longwave/testkit/opus-streams";
import { writeOpusFile } from "./opus-file.js";
import { spokenStream } from "./spoken-stream.js";
import { quantile, report } from "./table.js";

/** Classes of the third target, with a stream of each. */
const classes = [
  { name: "CELT music 64k stereo", share: 1.5 },
  { name: "CELT 160k constant rate", share: 1.5 },
  { name: "SILK 16k, spoken text", share: 4 },
  { name: "SILK organ", share: 12 },
  { name: "SILK speech wide band", share: 12 },
  { name: "pauses with DTX", share: 12 },
] as const;

const child = fileURLToPath(new URL("./child.js", import.meta.url));

export interface ChildFigures {
  readonly cpuMs: number;
  readonly growthMiB: number;
}

export function runChild(...parameters: string[]): ChildFigures {
  const run = spawnSync(process.execPath, [child, ...parameters], { stdio: ["ignore", "pipe", "inherit"] });
  if (run.status !== 0) throw new Error(`child.js ${parameters.join(" ")} failed`);
  return JSON.parse(run.stdout.toString().trim().split("\n").at(-1)!) as ChildFigures;
}

/** Imports files of every class: what the index takes and what the proof costs. */
export async function measureIndex(
  folder: string,
  minutes: number,
  group: "converging" | "other",
): Promise<void> {
  for (const { name, share } of classes) {
    // Streams whose run-ups converge have the smaller share.
    if ((share === 12) !== (group === "other")) continue;
    const kind = streamKinds.find((each) => each.name === name);
    const items = kind === undefined ? await spokenStream(folder, 20) : await opusStream(kind, 60);
    if (items === undefined) {
      report({ number: "3", what: name, target: `≤ ${share} %`, figure: "espeak-ng is not installed" });
      continue;
    }
    const file = join(folder, `${name.replaceAll(" ", "-")}.opus`);
    writeOpusFile(file, items, minutes * 60 * 48_000);
    const directory = join(folder, name.replaceAll(" ", "-"));
    const ratios: number[] = [];
    for (let round = 0; round < 3; round++) {
      const target = round === 0 ? directory : `${directory}-${round}`;
      ratios.push(runChild("import", target, file).cpuMs / runChild("decode", file).cpuMs);
    }
    const store = new DirectoryStore(directory);
    const archive = await Archive.open(store, { decoder: createSeekableDecoder });
    const { counts } = await archive.info("r");
    archive.close();
    let bytes = 0;
    for await (const object of store.list("")) bytes += object.size;
    const index = bytes - counts.packetBytes - counts.preRollBytes;
    const percent = (value: number) => (100 * value) / counts.packetBytes;
    report({
      number: "3",
      what: `all bytes of the store besides packets, ${name}, ${minutes} min`,
      target: `≤ ${share} %`,
      figure: `${percent(index).toFixed(2)} % (${counts.provenPoints} of ${counts.points} points proven, ${counts.checkpoints} states)`,
      ok: percent(index) <= share,
    });
    report({
      number: "3",
      what: `with run-ups stored twice, ${name}`,
      target: share === 12 ? "-" : "≤ 10 %",
      figure: `${percent(index + counts.preRollBytes).toFixed(1)} %`,
      ...(share === 12 ? {} : { ok: percent(index + counts.preRollBytes) <= 10 }),
    });
    report({
      number: "7",
      what: `import with proof ÷ one sequential decode of the file (CPU, median of 3), ${name}`,
      target: "≤ 1.5",
      figure: quantile(ratios, 0.5).toFixed(2),
      ok: quantile(ratios, 0.5) <= 1.5,
    });
  }
}
