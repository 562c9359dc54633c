import { Resampler } from "@longwave/dsp";
import { MediaError } from "../errors.ts";
import type { RateConverter, RateConverterFactory } from "./pcm-sink.ts";

/** Sample frames that go into the resampler at once; the blocks of the decoders are about as long. */
const framesPerCall = 8192;

/** The polyphase resampler of `@longwave/dsp` behind a sink: no delay, length scaled by the ratio of the rates. */
export const resamplerFactory: RateConverterFactory = (from, to, channels): RateConverter => {
  let resampler: Resampler;
  try {
    resampler = new Resampler({ from, to, channels });
  } catch (cause) {
    throw new MediaError("media/no-decoder", `The sound cannot be converted from ${from} Hz to ${to} Hz.`, {
      cause,
    });
  }
  const output = new Float32Array(
    channels * Math.max(resampler.maxOutputFrames(framesPerCall), resampler.maxOutputFrames()),
  );
  return {
    push(pcm, frames, out) {
      for (let at = 0; at < frames; at += framesPerCall) {
        const end = Math.min(frames, at + framesPerCall);
        const count = resampler.process(pcm.subarray(at * channels, end * channels), output);
        if (count > 0) out(output, count);
      }
    },
    flush(out) {
      const count = resampler.flush(output);
      if (count > 0) out(output, count);
    },
    close: () => resampler.close(),
  };
};
