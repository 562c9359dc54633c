// A browser's objects in our classes: its AudioData into our encoder, its packets into our decoder.
import type * as ourCodecs from "@longwave/opus/webcodecs";
import type { WebCodecs } from "./scenarios.ts";

type Ours = typeof ourCodecs;

const stereo = { codec: "opus", sampleRate: 48_000, numberOfChannels: 2, bitrate: 64_000 };
const blocks = 25;

/** Exact in every engine: a triangle and a saw. */
function block(index: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: 1920 }, (_, i) => {
    const frame = index * 960 + (i >> 1);
    const saw = (frame % 109) / 109 - 0.5;
    return i % 2 === 0 ? saw / 2 : Math.abs(saw) - 0.25;
  });
}

/** Our packets of sound in another's AudioData, as numbers. */
export async function packetsFrom(
  { AudioData }: Pick<WebCodecs, "AudioData">,
  ours: Ours,
): Promise<number[][]> {
  const packets: number[][] = [];
  const encoder = new ours.AudioEncoder({
    output: (chunk) => {
      const bytes = new Uint8Array(chunk.byteLength);
      chunk.copyTo(bytes);
      packets.push([...bytes]);
    },
    error: (error) => {
      throw error;
    },
  });
  encoder.configure(stereo);
  for (let index = 0; index < blocks; index++) {
    const data = new AudioData({
      format: "f32",
      sampleRate: 48_000,
      numberOfChannels: 2,
      numberOfFrames: 960,
      timestamp: index * 20_000,
      data: block(index),
    });
    encoder.encode(data as unknown as ourCodecs.AudioDataLike);
    data.close();
  }
  await encoder.flush();
  encoder.close();
  return packets;
}

/** The browser's packets decoded by both: frames, and the largest difference of a sample. */
export async function decodeBoth(
  native: WebCodecs,
  ours: Ours,
): Promise<{ frames: number; largest: number }> {
  const chunks: EncodedAudioChunk[] = [];
  const encoder = new native.AudioEncoder({ output: (chunk) => chunks.push(chunk), error: () => undefined });
  encoder.configure(stereo);
  for (let index = 0; index < blocks; index++) {
    encoder.encode(
      new native.AudioData({
        format: "f32",
        sampleRate: 48_000,
        numberOfChannels: 2,
        numberOfFrames: 960,
        timestamp: index * 20_000,
        data: block(index),
      }),
    );
  }
  await encoder.flush();
  const config = { codec: "opus", sampleRate: 48_000, numberOfChannels: 2 };
  const planes = (data: { numberOfFrames: number; copyTo: AudioData["copyTo"] }): Float32Array[] =>
    [0, 1].map((planeIndex) => {
      const plane = new Float32Array(data.numberOfFrames);
      data.copyTo(plane, { planeIndex, format: "f32-planar" });
      return plane;
    });
  const theirs: Float32Array[][] = [];
  const mine: Float32Array[][] = [];
  const error = (problem: DOMException) => {
    throw problem;
  };
  const theirDecoder = new native.AudioDecoder({ output: (data) => theirs.push(planes(data)), error });
  const ourDecoder = new ours.AudioDecoder({
    output: (data) => mine.push(planes(data as unknown as AudioData)),
    error,
  });
  theirDecoder.configure(config);
  ourDecoder.configure(config);
  for (const chunk of chunks) {
    theirDecoder.decode(chunk);
    ourDecoder.decode(chunk);
  }
  await Promise.all([theirDecoder.flush(), ourDecoder.flush()]);
  let largest = theirs.length === mine.length ? 0 : Number.POSITIVE_INFINITY;
  let frames = 0;
  for (const [index, sound] of mine.entries()) {
    frames += sound[0]!.length;
    for (const channel of [0, 1]) {
      sound[channel]!.forEach((value, i) => {
        largest = Math.max(
          largest,
          Math.abs(value - (theirs[index]?.[channel]?.[i] ?? Number.POSITIVE_INFINITY)),
        );
      });
    }
  }
  return { frames, largest };
}
