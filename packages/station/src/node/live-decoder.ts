import { type ChildProcess, spawn } from "node:child_process";
import { Resampler } from "@longwave/dsp";
import {
  decodeSamples,
  detectAudioFormat,
  mixChannels,
  mixMatrix,
  OggOpusDemuxer,
  WavReader,
} from "@longwave/media";
import { OpusDecoder } from "@longwave/opus";
import { StationError } from "../errors.ts";
import { stationChannels, stationRateHz } from "../sound.ts";

/** Decodes a live stream piece by piece into interleaved stereo at 48 kHz. */
export interface LiveDecoder {
  push(bytes: Uint8Array): void;
  close(): void;
}

type Take = (stereo: Float32Array) => void;

/**
 * The decoder for a stream that begins with `first`: Ogg Opus and WAV here, everything else by ffmpeg where it is installed.
 *
 * @param onFailure told when the stream turns out to be broken later
 * @throws StationError `station/unsupported-stream`
 */
export function createLiveDecoder(
  first: Uint8Array,
  take: Take,
  onFailure: (error: Error) => void,
): LiveDecoder {
  const format = detectAudioFormat(first);
  if (format === "wav") return wavDecoder(take);
  const isOpus = format === "ogg" || Buffer.from(first.subarray(0, 64)).includes("OpusHead");
  return isOpus && Buffer.from(first).includes("OpusHead")
    ? opusDecoder(take)
    : ffmpegDecoder(take, onFailure);
}

/** Packets of Opus as they are, one after the other; what is missing between them is concealed. */
export class OpusPackets {
  readonly #decoder = new OpusDecoder({ sampleRate: stationRateHz, channels: stationChannels });
  readonly #pcm = new Float32Array(5760 * stationChannels);
  readonly #take: Take;

  constructor(take: Take) {
    this.#take = take;
  }

  push(packet: Uint8Array): void {
    const frames = this.#decoder.tryDecode(packet, this.#pcm);
    if (frames > 0) this.#take(this.#pcm.subarray(0, frames * stationChannels));
    else this.conceal(960);
  }

  conceal(frames: number): void {
    const most = Math.min(frames, 5760);
    const made = this.#decoder.decode(null, this.#pcm, most - (most % 120));
    this.#take(this.#pcm.subarray(0, made * stationChannels));
  }

  close(): void {
    this.#decoder.close();
  }
}

function opusDecoder(take: Take): LiveDecoder {
  const packets = new OpusPackets(take);
  const demuxer = new OggOpusDemuxer({
    packet: ({ bytes, start, end }) => packets.push(bytes.subarray(start, end)),
    gap: (_, frames) => packets.conceal(Math.max(120, Math.min(frames, 5760))),
  });
  return { push: (bytes) => demuxer.push(bytes), close: () => packets.close() };
}

function wavDecoder(take: Take): LiveDecoder {
  let resampler: Resampler | undefined;
  let matrix: Float64Array | undefined;
  const reader = new WavReader(
    (pcm, frames) => {
      const { channels } = reader.head!.format;
      matrix ??= mixMatrix(channels, stationChannels);
      const stereo = new Float32Array(frames * stationChannels);
      mixChannels(pcm, channels, stereo, stationChannels, frames, matrix);
      const out = new Float32Array(resampler!.maxOutputFrames(frames) * stationChannels);
      take(out.subarray(0, resampler!.process(stereo, out) * stationChannels));
    },
    {
      onHead: ({ format }) => {
        resampler = new Resampler({ from: format.sampleRate, to: stationRateHz, channels: stationChannels });
      },
    },
  );
  return { push: (bytes) => reader.push(bytes), close: () => resampler?.close() };
}

/** Anything that ffmpeg knows, through its standard input and output. */
export function ffmpegDecoder(take: Take, onFailure: (error: Error) => void): LiveDecoder {
  const form = ["-f", "s16le", "-ar", String(stationRateHz), "-ac", String(stationChannels), "pipe:1"];
  const options = ["-nostdin", "-loglevel", "error", "-fflags", "nobuffer", "-i", "pipe:0"];
  const child: ChildProcess = spawn("ffmpeg", [...options, ...form], { stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  let rest = Buffer.alloc(0);
  let isClosed = false;
  const fail = (message: string) => {
    if (!isClosed) onFailure(new StationError("station/unsupported-stream", "unsupported", message));
  };
  child.on("error", () => fail("This kind of stream needs ffmpeg, which is not installed."));
  child.on("exit", () => fail(`ffmpeg cannot play this stream: ${said.trim().slice(0, 200) || "it ended"}.`));
  child.stdin!.on("error", () => {});
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-500);
  });
  child.stdout!.on("data", (bytes: Buffer) => {
    const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    const values = Math.floor(all.length / 4) * 2;
    const pcm = new Float32Array(values);
    decodeSamples(all, 0, "s16", false, pcm, 0, values);
    rest = Buffer.from(all.subarray(values * 2));
    take(pcm);
  });
  return {
    push: (bytes) => {
      // A decoder that hangs must not collect the stream in memory.
      if (child.stdin!.writableLength < 1 << 20) child.stdin!.write(bytes);
    },
    close: () => {
      isClosed = true;
      child.stdin!.destroy();
      child.kill();
    },
  };
}
