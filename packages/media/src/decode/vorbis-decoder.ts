import { MediaError } from "../errors.ts";
import type { AudioDecoder } from "./audio-decoder.ts";
import { asDecodeError } from "./flac-decoder.ts";
import { addWarning } from "./mp3-decoder.ts";
import { feedInPieces } from "./paced-feed.ts";
import type { SourceForm } from "./pcm-sink.ts";
import { PlanarWriter } from "./planar-writer.ts";

/** Vorbis in Ogg by libvorbis; the last page's granule position cuts the end. */
export const vorbisDecoder: AudioDecoder = {
  name: "vorbis",
  formats: ["ogg-vorbis"],
  async decode(bytes, sink, signal) {
    const form = vorbisForm(bytes);
    sink.start(form);
    const { OggVorbisDecoder } = await import("@wasm-audio-decoders/ogg-vorbis");
    const decoder = new OggVorbisDecoder();
    await decoder.ready;
    const writer = new PlanarWriter(sink, form.channels);
    const warnings: string[] = [];
    let frames = 0;
    const take = (block: Awaited<ReturnType<typeof decoder.decode>>): number => {
      for (const { message } of block.errors) addWarning(warnings, message);
      writer.write(block);
      frames += block.samplesDecoded;
      return block.samplesDecoded * form.channels;
    };
    try {
      await feedInPieces(bytes, signal, async (piece) => take(await decoder.decode(piece)));
      take(await decoder.flush());
    } catch (error) {
      throw asDecodeError(error);
    } finally {
      await decoder.ready.then(() => decoder.free()).catch(() => undefined);
    }
    if (frames === 0) throw new MediaError("media/decode-failed", "No Vorbis packet could be decoded.");
    return { truncated: warnings.length > 0, warnings };
  },
};

/** The identification header (Vorbis I specification, section 4.2.2). */
function vorbisForm(bytes: Uint8Array): SourceForm {
  const at = 27 + (bytes[26] ?? 0) + 7;
  if (bytes.length < at + 9) {
    throw new MediaError("media/decode-failed", "The Ogg Vorbis file ends inside its first header.");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 9);
  return { channels: view.getUint8(4), sampleRate: view.getUint32(5, true) };
}
