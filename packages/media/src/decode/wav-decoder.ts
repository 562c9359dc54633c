import { type WavFormat, wavFrameBytes } from "../wav/wav-format.ts";
import { WavReader } from "../wav/wav-reader.ts";
import { type AudioDecoder, type DecodeReport, throwIfAborted, turn } from "./audio-decoder.ts";
import type { PcmSink } from "./pcm-sink.ts";

/** Bytes between two looks at the signal. */
const pieceBytes = 1 << 20;

/** What is known of a WAV input before it is read. */
export interface WavInput {
  readonly maxChannels?: number;
  /** Length of the whole file, where that is known: a header that promises more sound is not believed. */
  readonly bytes?: number;
}

/** A `WavReader` that fills a sink; used for bytes in memory and for files that are read piece by piece. */
export function wavIntoSink(sink: PcmSink, { maxChannels, bytes }: WavInput = {}): WavReader {
  return new WavReader((pcm, frames) => sink.write(pcm, frames), {
    onHead: ({ format, frames }) =>
      sink.start({
        sampleRate: format.sampleRate,
        channels: format.channels,
        frames: frames === undefined ? undefined : Math.min(frames, framesIn(format, bytes)),
      }),
    limits: maxChannels === undefined ? {} : { maxChannels },
  });
}

/** Sample frames that so many bytes can hold at most. */
function framesIn(format: WavFormat, bytes = Number.POSITIVE_INFINITY): number {
  return Math.floor(bytes / wavFrameBytes(format));
}

/** Says that the input of `reader` ends, and what it lacked. */
export function endOfWav(reader: WavReader): Required<DecodeReport> {
  const { truncated } = reader.end();
  if (!truncated) return { truncated, warnings: [] };
  const { format, frames } = reader.head!;
  const seconds = (count: number) => `${(count / format.sampleRate).toFixed(1)} s`;
  const warning =
    frames === undefined || frames <= reader.frames
      ? "The file ends in the middle of a chunk."
      : `The file ends early: its header promises ${seconds(frames)} of sound, ${seconds(reader.frames)} are there.`;
  return { truncated, warnings: [warning] };
}

/** The built-in WAV decoder. */
export const wavDecoder: AudioDecoder = {
  name: "wav",
  formats: ["wav"],
  async decode(bytes, sink, signal) {
    const reader = wavIntoSink(sink, { bytes: bytes.length });
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      throwIfAborted(signal);
      reader.push(bytes.subarray(at, at + pieceBytes));
      await turn();
    }
    return endOfWav(reader);
  },
};
