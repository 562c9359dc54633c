import { OggOpusWriter, plainOpusHead } from "@longwave/media";
import { OpusEncoder } from "@longwave/opus";

/** An Ogg Opus file of so many packets of 20 ms: a tone, another one for each `seed`. */
export async function tonePackets(count: number, seed = 1): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  const head = plainOpusHead(1, 312);
  const writer = new OggOpusWriter((bytes) => pieces.push(Buffer.from(bytes)), { head, serial: seed });
  const encoder = new OpusEncoder({
    channels: 1,
    bitrateBps: 48_000,
    application: "lowdelay",
    complexity: 0,
  });
  const packet = new Uint8Array(1276);
  for (let i = 0; i < count; i++) {
    const pcm = Float32Array.from({ length: 960 }, (_, k) => 0.3 * Math.sin((i * 960 + k) / (10 + 3 * seed)));
    const bytes = encoder.encode(pcm, packet);
    writer.write(packet.subarray(0, bytes));
  }
  encoder.close();
  writer.finish(count * 960 - 312);
  return Buffer.concat(pieces);
}
