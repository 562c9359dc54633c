import type { Archive, RecordingInfo } from "@longwave/archive";
import { createSeekableDecoder } from "@longwave/opus";

const second = 48_000;

/** Measures CPU milliseconds that decoding one second of a recording's packets takes, nothing else. */
export interface SecondDecoder {
  /** One round over a minute of packets. */
  round(): number;
  close(): void;
}

/** Has a recording's first packets in memory and the decoder warm. Rounds belong between those of what they are compared with. */
export async function secondDecoder(archive: Archive, info: RecordingInfo): Promise<SecondDecoder> {
  const packets: Uint8Array[] = [];
  for await (const item of archive.packets("r")) {
    if (item.type === "packet") packets.push(item.data.slice());
    if (packets.length === 3000) break;
  }
  const decoder = createSeekableDecoder({ channels: info.channels, gainQ8: 0 }, "opus-1");
  const pcm = new Float32Array(5760 * info.channels);
  for (const packet of packets) decoder.decode(packet, pcm);
  return {
    round() {
      const before = process.cpuUsage();
      let frames = 0;
      for (const packet of packets) frames += decoder.decode(packet, pcm);
      const used = process.cpuUsage(before);
      return (((used.user + used.system) / 1000) * second) / frames;
    },
    close: () => decoder.close(),
  };
}
