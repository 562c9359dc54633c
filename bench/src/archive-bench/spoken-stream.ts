import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { plainOpusHead } from "@longwave/media";
import { decodeAudioFile } from "@longwave/media/node";
import { OpusEncoder } from "@longwave/opus";
import type { StreamItem } from "@longwave/testkit/opus-streams";

/** What espeak-ng reads: some sentences with pauses between them. */
const text = `The tide turned at half past four, and the first boats came in. Nobody spoke for a while. Then the bell rang twice,
and the whole harbour seemed to wake. There were crates of mackerel, coils of rope, a dog asleep on the sacks. She counted the
boxes again: forty one, forty two, forty three. It was enough. The buyer from the city shook his head and smiled; prices, he
said, are what they are. By six the quay was empty, and only the gulls were left to argue about what had been forgotten.`;

/** A minute of spoken text as SILK: 20 ms wide band at 16 kbit/s or 60 ms narrow band at 12; undefined without espeak-ng. */
export async function spokenStream(
  folder: string,
  packetMs: 20 | 60,
): Promise<readonly StreamItem[] | undefined> {
  const wav = join(folder, "spoken.wav");
  if (spawnSync("espeak-ng", ["-v", "en", "-w", wav, `${text} ${text}`]).status !== 0) return undefined;
  const { pcm } = await decodeAudioFile(wav, { sampleRate: 48_000, channels: 1 });
  const encoder = new OpusEncoder({
    channels: 1,
    application: "voip",
    signal: "voice",
    maxBandwidth: packetMs === 20 ? "wb" : "nb",
    bitrateBps: packetMs === 20 ? 16_000 : 12_000,
  });
  const items: StreamItem[] = [{ type: "segment", head: plainOpusHead(1, encoder.lookahead) }];
  const packet = new Uint8Array(3 * 1276);
  const frames = 48 * packetMs;
  for (let at = 0; at + frames <= Math.min(pcm.length, 60 * 48_000); at += frames) {
    const bytes = encoder.encode(pcm.subarray(at, at + frames), packet);
    items.push({ type: "packet", data: packet.slice(0, bytes) });
  }
  encoder.close();
  return items;
}
