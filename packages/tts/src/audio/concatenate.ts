import { TtsError } from "../errors.ts";

/** Collects blocks into one buffer. @throws TtsError `tts/output-too-large` beyond `maxFrames` */
export async function concatenate(
  blocks: AsyncIterable<Float32Array>,
  maxFrames: number = 24_000 * 3600,
): Promise<Float32Array> {
  const kept: Float32Array[] = [];
  let frames = 0;
  for await (const block of blocks) {
    frames += block.length;
    if (frames > maxFrames) {
      throw new TtsError(
        "tts/output-too-large",
        `The speech is longer than ${maxFrames} samples; speak it in parts.`,
      );
    }
    kept.push(block);
  }
  const pcm = new Float32Array(frames);
  let at = 0;
  for (const block of kept) {
    pcm.set(block, at);
    at += block.length;
  }
  return pcm;
}
