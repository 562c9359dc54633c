import { WavReader } from "../wav/wav-reader.ts";
import { type AudioDecoder, throwIfAborted, turn } from "./audio-decoder.ts";
import type { PcmSink } from "./pcm-sink.ts";

/** Bytes between two looks at the signal. */
const pieceBytes = 1 << 20;

/** A `WavReader` that fills a sink; used for bytes in memory and for files that are read piece by piece. */
export function wavIntoSink(sink: PcmSink, maxChannels?: number): WavReader {
  return new WavReader((pcm, frames) => sink.write(pcm, frames), {
    onHead: ({ format, frames }) =>
      sink.start({ sampleRate: format.sampleRate, channels: format.channels, frames }),
    limits: maxChannels === undefined ? {} : { maxChannels },
  });
}

/** The built-in WAV decoder. */
export const wavDecoder: AudioDecoder = {
  name: "wav",
  formats: ["wav"],
  async decode(bytes, sink, signal) {
    const reader = wavIntoSink(sink);
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      throwIfAborted(signal);
      reader.push(bytes.subarray(at, at + pieceBytes));
      await turn();
    }
    const { truncated } = reader.end();
    return { truncated, warnings: truncated ? ["The file ends before its promised end."] : [] };
  },
};
