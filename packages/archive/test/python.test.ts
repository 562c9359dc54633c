import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Archive } from "@longwave/archive";
import { DirectoryStore } from "@longwave/base/node";
import { createSeekableDecoder } from "@longwave/opus";
import { repositoryPath } from "@longwave/testkit";
import { opusStream, streamKinds } from "@longwave/testkit/opus-streams";
import { afterAll, expect, test } from "vitest";

const python = "/usr/bin/python3";
const hasZarr =
  spawnSync(python, ["-c", "import zarr, numcodecs, ctypes.util as u; assert u.find_library('opus')"])
    .status === 0;
const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

/** How far libopus may be off, in steps of int16; `until`: later chunks start from a state, which libopus cannot load. */
const kinds = [
  { name: "SILK speech wide band", most: 0, until: 120_000 },
  { name: "CELT music 64k stereo", most: 1, until: undefined },
] as const;

test.skipIf(!hasZarr).each(kinds)(
  "python-zarr reads the twin: $name (within $most)",
  async ({ name, most, until }) => {
    const folder = await mkdtemp(join(tmpdir(), "longwave-python-"));
    folders.push(folder);
    const kind = streamKinds.find((each) => each.name === name)!;
    const items = await opusStream(kind, 6);
    const archive = await Archive.open(new DirectoryStore(folder), { decoder: createSeekableDecoder });
    const source = { channels: kind.channels, items: () => items };
    const { info } = await archive.import(source, {
      id: "r",
      chunkFrames: 120_000,
      pointFrames: 24_000,
      v2Twin: true,
    });
    expect(info.counts.checkpoints > 0).toBe(until !== undefined);
    expect((await archive.verify("r", "decode")).findings).toEqual([]);
    const { pcm } = await archive.read("r", { from: 0, to: info.frames, as: "int16" });
    await writeFile(join(folder, "expected.raw"), pcm);
    const script = `
import sys, numpy, zarr
sys.path.insert(0, ${JSON.stringify(repositoryPath("packages/archive/python"))})
import longwave_opus
z = zarr.open(${JSON.stringify(join(folder, "rec/r/pcm"))}, mode="r")
want = numpy.fromfile(${JSON.stringify(join(folder, "expected.raw"))}, dtype="<i2").reshape(-1, ${kind.channels})
assert z.shape == want.shape, (z.shape, want.shape)
worst = 0
last = ${until ?? "len(want)"}
for start, end in [(0, last), (119000, min(last, 121000)), (last - 5, last)]:
    worst = max(worst, int(numpy.abs(z[start:end].astype(int) - want[start:end].astype(int)).max()))
print(worst)`;
    const run = spawnSync(python, ["-c", script]);
    expect(run.stderr.toString()).toBe("");
    expect(Number(run.stdout.toString())).toBeLessThanOrEqual(most);
  },
);

test.skipIf(hasZarr)("python-zarr is tested where it is installed", (context) => {
  context.skip("python3 with zarr and libopus is not installed");
});
