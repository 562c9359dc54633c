import { WatermarkEmbedder } from "@longwave/fingerprint/watermark";
import type { ProgrammeItem } from "../programme.ts";
import { composeSong } from "../songs/composer.ts";
import { SongRenderer } from "../songs/song-renderer.ts";
import { stationChannels, stationRateHz } from "../sound.ts";

export interface JingleOptions {
  readonly seed: number;
  readonly key: string;
  /** What the mark says: 4 bytes. */
  readonly payload: Uint8Array;
  /** Runs between pieces of 100 ms, so that a station on air is not held up. */
  readonly pause?: () => Promise<void>;
}

/** Key and payload of the built-in station; a station of one's own would keep its key to itself. */
export const stationMarkKey = "longwave";
export const stationMark: Uint8Array = Uint8Array.of(0x4c, 0x57, 0, 1);

/** Long enough for five periods of the mark. */
const jingleFrames = 10.5 * stationRateHz;
const fadeFrames = stationRateHz;
const pieceFrames = stationRateHz / 10;
/** The number of the jingle's piece in its seed; songs of programmes count from 0. */
const jinglePiece = 900;

/**
 * A short piece of music that carries the station's mark (`keymark-v1`): what is heard elsewhere can be told to come from here.
 */
export async function makeJingle(options: JingleOptions): Promise<() => ProgrammeItem> {
  return jingleOf(await renderJingle(options));
}

/** The jingle's samples, interleaved stereo at the station's rate. */
export async function renderJingle(options: JingleOptions): Promise<Float32Array<ArrayBuffer>> {
  const { seed, key, payload, pause } = options;
  const score = composeSong(seed, jinglePiece);
  const renderer = new SongRenderer(score);
  const frames = Math.min(jingleFrames, score.lengthFrames);
  const embedder = new WatermarkEmbedder({
    sampleRate: stationRateHz,
    channels: stationChannels,
    key,
    payload,
  });
  const piece = new Float32Array(pieceFrames * stationChannels);
  const marked = new Float32Array((frames + embedder.maxOutputFrames(pieceFrames)) * stationChannels);
  const output = new Float32Array(embedder.maxOutputFrames(pieceFrames) * stationChannels);
  let written = 0;
  const keep = (count: number) => {
    const room = Math.min(count, marked.length / stationChannels - written);
    marked.set(output.subarray(0, room * stationChannels), written * stationChannels);
    written += room;
  };
  for (let at = 0; at < frames; at += pieceFrames) {
    const count = Math.min(pieceFrames, frames - at, renderer.read(piece));
    for (let i = 0; i < count; i++) {
      const gain = Math.min(1, (frames - at - i) / fadeFrames);
      for (let channel = 0; channel < stationChannels; channel++)
        piece[i * stationChannels + channel]! *= gain;
    }
    keep(embedder.process(piece.subarray(0, count * stationChannels), output));
    await pause?.();
  }
  const rest = new Float32Array(embedder.maxOutputFrames() * stationChannels);
  const count = Math.min(embedder.flush(rest), marked.length / stationChannels - written);
  marked.set(rest.subarray(0, count * stationChannels), written * stationChannels);
  written += count;
  return marked.slice(0, Math.min(frames, written) * stationChannels);
}

/** A jingle of these samples, as often as it is played. */
export function jingleOf(marked: Float32Array): () => ProgrammeItem {
  const total = marked.length / stationChannels;
  return () => {
    let at = 0;
    return {
      cue: {
        item: "jingle",
        id: "jingle",
        title: "Station jingle",
        detail: "carries the station's mark",
        lengthFrames: total,
      },
      read(block, startFrame) {
        const taken = Math.min(total - at, block.length / stationChannels - startFrame);
        block.set(
          marked.subarray(at * stationChannels, (at + taken) * stationChannels),
          startFrame * stationChannels,
        );
        at += taken;
        return taken;
      },
    };
  };
}
