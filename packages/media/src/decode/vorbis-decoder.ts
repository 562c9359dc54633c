import { MediaError } from "../errors.ts";
import { OggPageParser } from "../ogg/ogg-page-parser.ts";
import { hasMagic } from "../opus/opus-head.ts";
import type { AudioDecoder } from "./audio-decoder.ts";
import { addWarning, asDecodeError } from "./decoder-reports.ts";
import { feedInPieces } from "./paced-feed.ts";
import type { SourceForm } from "./pcm-sink.ts";
import { PlanarWriter } from "./planar-writer.ts";

/** Vorbis in Ogg by libvorbis; the last page's granule position cuts the end. */
export const vorbisDecoder: AudioDecoder = {
  name: "vorbis",
  formats: ["ogg-vorbis"],
  async decode(bytes, sink, signal) {
    const form = vorbisForm(bytes);
    requireOneForm(bytes, form);
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

/**
 * The library decodes the links of a chain one after the other, but tells one rate and number of channels for all.
 * @throws MediaError `media/no-decoder` where they differ, so that another decoder may try
 */
function requireOneForm(bytes: Uint8Array, first: SourceForm): void {
  const parser = new OggPageParser({
    page: ({ bos, bytes: buffer, bodyStart, bodyEnd }) => {
      if (!bos || bodyEnd - bodyStart < 16 || !hasMagic(buffer, "\x01vorbis", bodyStart)) return;
      const { channels, sampleRate } = identification(buffer, bodyStart + 7);
      if (channels === first.channels && sampleRate === first.sampleRate) return;
      throw new MediaError(
        "media/no-decoder",
        `The chained Ogg file changes from ${first.channels} channels at ${first.sampleRate} Hz to ${channels} at ${sampleRate} Hz.`,
      );
    },
  });
  parser.push(bytes);
}

/** The identification header (Vorbis I specification, section 4.2.2). */
function vorbisForm(bytes: Uint8Array): SourceForm {
  const at = 27 + (bytes[26] ?? 0) + 7;
  if (bytes.length < at + 9) {
    throw new MediaError("media/decode-failed", "The Ogg Vorbis file ends inside its first header.");
  }
  return identification(bytes, at);
}

function identification(bytes: Uint8Array, at: number): SourceForm {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 9);
  return { channels: view.getUint8(4), sampleRate: view.getUint32(5, true) };
}
