import { MediaError } from "../errors.ts";
import type { AudioDecoder } from "./audio-decoder.ts";
import { id3Length } from "./audio-format.ts";
import { addWarning, asDecodeError } from "./decoder-reports.ts";
import { feedInPieces } from "./paced-feed.ts";
import type { SourceForm } from "./pcm-sink.ts";
import { PlanarWriter } from "./planar-writer.ts";

/** FLAC, native or in Ogg, by libFLAC. */
export const flacDecoder: AudioDecoder = {
  name: "flac",
  formats: ["flac", "ogg-flac"],
  async decode(input, sink, signal) {
    const bytes = input.subarray(id3Length(input));
    const form = flacForm(bytes);
    sink.start(isBelievable(form, bytes.length) ? form : { ...form, frames: undefined });
    const { FLACDecoder } = await import("@wasm-audio-decoders/flac");
    const decoder = new FLACDecoder();
    await decoder.ready;
    const writer = new PlanarWriter(sink, form.channels);
    const warnings: string[] = [];
    let frames = 0;
    const take = (block: Awaited<ReturnType<typeof decoder.decode>>): number => {
      for (const { message } of block.errors) addWarning(warnings, message);
      rescale(block.channelData, block.bitDepth);
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
    if (frames === 0) throw new MediaError("media/decode-failed", "No FLAC frame could be decoded.");
    const short = form.frames !== undefined && frames < form.frames;
    if (short) warnings.push(`The file has ${frames} of the ${form.frames} frames that its header promises.`);
    return { truncated: short || warnings.length > 0, warnings };
  },
};

/**
 * The library divides an n-bit sample by 2^(n-1) - 1; here every integer is divided by 2^(n-1) (design: full scale is
 * [-1, 1)). Up to 24 bits the integer is recovered exactly from the float, so the result is exact too.
 */
function rescale(planes: readonly Float32Array[], bitDepth: number): void {
  const theirs = 2 ** (bitDepth - 1) - 1;
  const ours = 2 ** (bitDepth - 1);
  for (const plane of planes) {
    for (let i = 0; i < plane.length; i++) plane[i] = Math.round(plane[i]! * theirs) / ours;
  }
}

/** STREAMINFO (RFC 9639 section 8.2), also inside the first packet of Ogg FLAC (section 10.1). */
function flacForm(bytes: Uint8Array): SourceForm & { readonly bits: number } {
  let at = 4;
  if (bytes[0] === 0x4f) at = 27 + (bytes[26] ?? 0) + 13;
  const info = bytes.subarray(at + 4, at + 22);
  if ((bytes[at]! & 0x7f) !== 0 || info.length < 18) {
    throw new MediaError("media/decode-failed", "The FLAC file does not start with its STREAMINFO block.");
  }
  const sampleRate = (info[10]! << 12) | (info[11]! << 4) | (info[12]! >> 4);
  const channels = ((info[12]! >> 1) & 7) + 1;
  const frames =
    (info[13]! & 15) * 2 ** 32 + info[14]! * 2 ** 24 + ((info[15]! << 16) | (info[16]! << 8) | info[17]!);
  const bits = ((info[12]! & 1) << 4) + (info[13]! >> 4) + 1;
  return { sampleRate, channels, bits, frames: frames === 0 ? undefined : frames };
}

/**
 * A recording that was cut keeps the length of the whole in its header: it counts in advance only where the file has at least half a
 * bit for each that is promised, which is what music takes. Otherwise the sound is counted as it comes.
 */
function isBelievable({ frames = 0, channels, bits }: ReturnType<typeof flacForm>, bytes: number): boolean {
  return 16 * bytes >= frames * channels * bits;
}
