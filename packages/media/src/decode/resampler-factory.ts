import { MediaError } from "../errors.ts";
import type { RateConverterFactory } from "./pcm-sink.ts";

/** Converts between rates. Not available yet: ask for the source's own rate, or pass `rateConverter`. */
export const resamplerFactory: RateConverterFactory = (from, to) => {
  throw new MediaError(
    "media/no-decoder",
    `Nothing here converts ${from} Hz to ${to} Hz; pass rateConverter.`,
  );
};
