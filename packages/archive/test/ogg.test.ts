import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Archive, oggPages, openOggSource, type PacketItem } from "@longwave/archive";
import { MemoryStore, SeededRandom } from "@longwave/base";
import { encodeWav } from "@longwave/media";
import { createSeekableDecoder } from "@longwave/opus";
import { opusStream, streamKinds } from "@longwave/testkit/opus-streams";
import { afterAll, describe, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "longwave-ogg-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const hasTools = spawnSync("opusenc", ["--version"]).status === 0;

async function archived(bytes: Uint8Array): Promise<Archive> {
  const archive = await Archive.open(new MemoryStore(), { decoder: createSeekableDecoder });
  await archive.import(await openOggSource(bytes), { id: "r" });
  return archive;
}

async function exported(archive: Archive): Promise<Uint8Array> {
  const pieces = [];
  for await (const page of oggPages(await archive.info("r"), archive.packets("r"))) pieces.push(page);
  return Buffer.concat(pieces);
}

/** An Ogg file of these items, through an archive. */
async function oggOf(items: readonly PacketItem[]): Promise<Uint8Array> {
  const archive = await Archive.open(new MemoryStore(), { decoder: createSeekableDecoder });
  const { head } = items[0] as Extract<PacketItem, { type: "segment" }>;
  await archive.import({ channels: head.channels as 1 | 2, items: () => items }, { id: "r" });
  return exported(archive);
}

describe("Ogg to archive to Ogg", () => {
  test.each(["CELT music 64k stereo", "SILK 60 ms with FEC", "CELT 2.5 ms"])(
    "keeps every packet: %s",
    async (name) => {
      const kind = streamKinds.find((each) => each.name === name)!;
      const first = await oggOf(await opusStream(kind, 5));
      const archive = await archived(first);
      const second = await exported(archive);
      const again = await archived(second);
      const [a, b] = [await archive.info("r"), await again.info("r")];
      expect(b.packetsSha256).toBe(a.packetsSha256);
      expect(b.frames).toBe(a.frames);
      expect(Buffer.compare(Buffer.from(second), Buffer.from(first))).toBe(0);
    },
  );

  test("a chained file becomes segments", async () => {
    const mono = streamKinds.filter((kind) => kind.channels === 1).slice(0, 3);
    const files = await Promise.all(mono.map(async (kind) => oggOf(await opusStream(kind, 3))));
    const archive = await archived(Buffer.concat(files));
    const info = await archive.info("r");
    expect(info.segments).toHaveLength(3);
    expect((await archive.verify("r", "decode")).findings).toEqual([]);
  });

  test("a damaged page is a loss; what is around it stays", async () => {
    const bytes = Uint8Array.from(await oggOf(await opusStream(streamKinds[1]!, 12)));
    const whole = (await (await archived(bytes)).info("r")).frames;
    bytes[Math.floor(bytes.length / 2)]! ^= 0x55;
    const info = await (await archived(bytes)).info("r");
    expect(info.counts.lost).toBeGreaterThan(0);
    expect(Math.abs(info.frames - whole)).toBeLessThanOrEqual(960);
  });

  test("what is no Opus is refused", async () => {
    await expect(openOggSource(new TextEncoder().encode("OggS, no more"))).rejects.toMatchObject({
      kind: "malformed",
    });
  });
});

describe.skipIf(!hasTools)("with Debian's opus-tools (skipped where absent)", () => {
  test("a file of opusenc has the same length here, in opusinfo and after a round trip; opusdec decodes it alike", async () => {
    const random = new SeededRandom(1);
    const pcm = Float32Array.from(
      { length: 2 * 300_017 },
      (_, i) => 0.3 * Math.sin(i / 25) + 0.05 * (random.next() - 0.5),
    );
    const wav = join(folder, "in.wav");
    writeFileSync(wav, encodeWav(pcm, { sampleRate: 48_000, channels: 2 }));
    execFileSync("opusenc", ["--quiet", "--bitrate", "48", "--serial", "5", wav, join(folder, "in.opus")]);
    const archive = await archived(readFileSync(join(folder, "in.opus")));
    const info = await archive.info("r");
    expect(info.frames).toBe(300_017);
    const out = join(folder, "out.opus");
    writeFileSync(out, await exported(archive));
    const report = execFileSync("opusinfo", [out], { encoding: "utf8" });
    expect(report).not.toMatch(/WARNING/);
    expect(report).toContain("Playback length: 0m:06.250s");
    const decodedWav = join(folder, "out.wav");
    execFileSync("opusdec", ["--quiet", "--float", "--no-dither", out, decodedWav]);
    const decoded = readFileSync(decodedWav);
    const { pcm: ours } = await archive.read("r", { from: 0, to: info.frames });
    const view = new DataView(decoded.buffer, decoded.byteOffset);
    const dataAt = decoded.indexOf("data") + 8;
    let worst = 0;
    for (let i = 0; i < ours.length; i++)
      worst = Math.max(worst, Math.abs(view.getFloat32(dataAt + 4 * i, true) - ours[i]!));
    // opusdec is libopus 1.3.1: a build with another order of operations, up to 2e-7 away.
    expect(worst).toBeLessThan(1e-6);
  });
});
