import { WatermarkDetector, WatermarkEmbedder } from "@longwave/fingerprint/watermark";
import type { LabMark } from "./lab-messages.ts";

const rateHz = 48_000;

/** Interleaved stereo with a payload (8 hexadecimal digits) in it, as long as it was. */
export function markSound(pcm: Float32Array, key: string, payload: string): Float32Array<ArrayBuffer> {
  const bytes = Uint8Array.from({ length: 4 }, (_, i) =>
    Number.parseInt(payload.slice(2 * i, 2 * i + 2), 16),
  );
  const embedder = new WatermarkEmbedder({ sampleRate: rateHz, channels: 2, key, payload: bytes });
  const marked = new Float32Array(pcm.length + 2 * embedder.maxOutputFrames());
  const frames = embedder.process(pcm, marked);
  embedder.flush(marked.subarray(2 * frames));
  return marked.slice(0, pcm.length);
}

/** Every mark of this key, in order. */
export function findMarks(pcm: Float32Array, key: string): LabMark[] {
  const found: LabMark[] = [];
  const detector = new WatermarkDetector({ sampleRate: rateHz, channels: 2, key });
  const take = ({ payload, ...rest }: Parameters<Parameters<typeof detector.flush>[0]>[0]) => {
    const digits = [...payload].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    found.push({ payload: digits, ...rest });
  };
  detector.process(pcm, take);
  detector.flush(take);
  return found;
}
