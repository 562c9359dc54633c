import { Archive, clipPages, type PacketItem } from "@longwave/archive";
import { MemoryStore, SeededRandom } from "@longwave/base";
import { OggOpusReader } from "@longwave/media";
import { createSeekableDecoder } from "@longwave/opus";
import { opusStream, streamKinds } from "@longwave/testkit/opus-streams";
import { expect, test } from "vitest";

async function recorded(items: readonly PacketItem[], channels: 1 | 2): Promise<Archive> {
  const archive = await Archive.open(new MemoryStore(), { decoder: createSeekableDecoder });
  const writer = await archive.record({ id: "r", channels, chunkFrames: 96_000 });
  for (const item of items) await writer.push(item);
  await writer.close();
  return archive;
}

/** What a decoder that knows nothing of the archive makes of an Ogg file. */
async function decoded(pages: AsyncIterable<Uint8Array>): Promise<Float32Array> {
  const file: Uint8Array[] = [];
  for await (const page of pages) file.push(page);
  const reader = await OggOpusReader.open(new Uint8Array(Buffer.concat(file)));
  const pieces: Float32Array[] = [];
  let link = -1;
  let decoder: ReturnType<typeof createSeekableDecoder> | undefined;
  const pcm = new Float32Array(2 * 5760);
  for await (const packet of reader.packets()) {
    const { channels } = reader.links[packet.link]!.head;
    if (packet.link !== link) {
      decoder?.close();
      decoder = createSeekableDecoder(reader.links[packet.link]!.head, "opus-1");
      link = packet.link;
    }
    const frames = decoder!.decode(packet.data, pcm);
    pieces.push(pcm.slice(packet.skipStart * channels, (frames - packet.trimEnd) * channels));
  }
  decoder?.close();
  const all = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

const kindOf = (name: string) => streamKinds.find((each) => each.name === name)!;

test.each(["CELT music 64k stereo", "SILK speech stereo", "forced switching"])(
  "an exact slice of %s decodes to the samples of the recording, or is refused",
  async (name) => {
    const kind = kindOf(name);
    const archive = await recorded(await opusStream(kind, 5), kind.channels);
    const { frames } = await archive.info("r");
    const random = new SeededRandom(8);
    let refused = 0;
    for (let i = 0; i < 8; i++) {
      const start = random.below(frames - 1);
      const end = Math.min(frames, start + 1 + random.below(120_000));
      const { pcm } = await archive.read("r", { from: start, to: end });
      const slice = decoded(clipPages(archive, "r", { start, end }, { exact: true })).catch((error) => error);
      const found = await slice;
      if (found instanceof Error) {
        expect(found).toMatchObject({ code: "archive/no-export" });
        refused++;
      } else {
        expect(found.length).toBe(pcm.length);
        expect(Buffer.compare(Buffer.from(found.buffer), Buffer.from(pcm.buffer)), `[${start}, ${end})`).toBe(
          0,
        );
      }
    }
    // Ogg hides 1.36 s; a run-up from the border of a second before may be longer.
    expect(refused).toBeLessThan(8);
    archive.close();
  },
);

test("what needs a stored state, or was lost, is refused as an exact slice, and may be had with the usual run-up", async () => {
  const kind = kindOf("SILK organ");
  const archive = await recorded(await opusStream(kind, 8), 1);
  const range = { start: 300_000, end: 340_000 };
  const refused = decoded(clipPages(archive, "r", range, { exact: true }));
  await expect(refused).rejects.toMatchObject({ code: "archive/no-export", kind: "unsupported" });
  expect((await decoded(clipPages(archive, "r", range))).length).toBe(40_000);
  archive.close();
  const items = (await opusStream(kindOf("CELT organ"), 3)).map(
    (item, i): PacketItem => (i === 100 ? { type: "loss", frames: 960 } : item),
  );
  const holed = await recorded(items, 1);
  const hole = decoded(clipPages(holed, "r", { start: 90_000, end: 97_000 }, { exact: true }));
  await expect(hole).rejects.toMatchObject({ code: "archive/no-export" });
  holed.close();
});
