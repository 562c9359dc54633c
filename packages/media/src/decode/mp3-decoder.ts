import { MediaError } from "../errors.ts";
import type { AudioDecoder } from "./audio-decoder.ts";
import { id3Length, mpegFrameBytes } from "./audio-format.ts";
import { addWarning, asDecodeError } from "./decoder-reports.ts";
import { feedInPieces } from "./paced-feed.ts";
import { PlanarWriter } from "./planar-writer.ts";

/**
 * MPEG audio layers I to III by mpg123. Encoder delay and padding are cut where a LAME or Xing header names them
 * (gapless); the decoder's own delay of 529 samples is cut with them.
 */
export const mp3Decoder: AudioDecoder = {
  name: "mp3",
  formats: ["mp3", "mp2"],
  async decode(bytes, sink, signal) {
    const { MPEGDecoder } = await import("mpg123-decoder");
    const decoder = new MPEGDecoder();
    await decoder.ready;
    const channels = channelsOfFirstFrame(bytes);
    const warnings: string[] = [];
    let writer: PlanarWriter | undefined;
    let sampleRate = 0;
    try {
      await feedInPieces(bytes, signal, (piece) => {
        const block = decoder.decode(piece);
        for (const { message } of block.errors) addWarning(warnings, message);
        if (block.samplesDecoded === 0) return 0;
        if (writer === undefined) {
          sampleRate = block.sampleRate;
          sink.start({ sampleRate, channels });
          writer = new PlanarWriter(sink, channels);
        } else if (block.sampleRate !== sampleRate) {
          throw new MediaError(
            "media/decode-failed",
            `The MP3 file changes its sample rate from ${sampleRate} to ${block.sampleRate} Hz on the way.`,
          );
        }
        writer.write(block);
        return 2 * block.samplesDecoded;
      });
    } catch (error) {
      throw asDecodeError(error);
    } finally {
      decoder.free();
    }
    if (writer === undefined) {
      throw new MediaError(
        "media/decode-failed",
        `No MPEG audio frame could be decoded. ${warnings[0] ?? ""}`.trim(),
      );
    }
    return { truncated: warnings.length > 0, warnings };
  },
};

/** mpg123 is asked for stereo always; the header of the first frame tells whether both channels are one. */
function channelsOfFirstFrame(bytes: Uint8Array): number {
  for (let at = id3Length(bytes); at + 4 <= bytes.length; at++) {
    if (mpegFrameBytes(bytes, at) > 0) return bytes[at + 3]! >> 6 === 3 ? 1 : 2;
  }
  return 2;
}
