import type { Archive, RecordingInfo } from "@longwave/archive";
import { createSeekableDecoder } from "@longwave/opus";
import { quantile } from "./table.js";

const second = 48_000;

/** CPU milliseconds that decoding one second of the recording's packets takes, nothing else: the median of five rounds. */
export async function decodeSecondMs(archive: Archive, info: RecordingInfo): Promise<number> {
  const packets: Uint8Array[] = [];
  for await (const item of archive.packets("r")) {
    if (item.type === "packet") packets.push(item.data.slice());
    if (packets.length === 3000) break;
  }
  const decoder = createSeekableDecoder({ channels: info.channels, gainQ8: 0 }, "opus-1");
  const pcm = new Float32Array(5760 * info.channels);
  for (const packet of packets) decoder.decode(packet, pcm);
  const rounds: number[] = [];
  for (let round = 0; round < 5; round++) {
    const before = process.cpuUsage();
    let frames = 0;
    for (const packet of packets) frames += decoder.decode(packet, pcm);
    const used = process.cpuUsage(before);
    rounds.push((((used.user + used.system) / 1000) * second) / frames);
  }
  decoder.close();
  return quantile(rounds, 0.5);
}
