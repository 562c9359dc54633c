// A worker that decodes packets off the main thread. Post { packet } (null for a loss); it answers with interleaved
// floats, whose buffer is transferred. Each thread has its own WASM instance.
import { OpusDecoder } from "@longwave/opus/decoder";

const decoder = new OpusDecoder();
const pcm = new Float32Array(5760 * 2);

self.onmessage = ({ data }: MessageEvent<{ packet: Uint8Array | null }>) => {
  const frames = decoder.decode(data.packet, pcm);
  const sound = pcm.slice(0, frames * 2);
  self.postMessage(sound, { transfer: [sound.buffer] });
};
