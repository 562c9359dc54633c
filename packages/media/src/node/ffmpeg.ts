import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { abortError, type DecodeReport, throwIfAborted } from "../decode/audio-decoder.ts";
import type { PcmSink } from "../decode/pcm-sink.ts";
import { wavIntoSink } from "../decode/wav-decoder.ts";
import { MediaError } from "../errors.ts";
import { WavReader } from "../wav/wav-reader.ts";

/**
 * Containers that ffmpeg may open. Play lists and scripts (hls, concat, ...) are left out: they would let a file read
 * other files.
 */
const demuxers =
  "aac,ac3,aiff,alaw,amr,ape,asf,au,avi,caf,dsf,dts,dtshd,eac3,flac,flv,gsm,iff,loas,matroska,mov,mp3,mpc,mpc8,mpeg,mpegts," +
  "mulaw,nut,ogg,oma,qcp,rm,shn,sox,spdif,tak,truehd,tta,voc,w64,wav,webm,wv,xa,xwma";

/** Bytes of ffmpeg's complaints that are kept, from the end. */
const keptComplaint = 4096;

/**
 * Decodes the first audio stream of a file with an ffmpeg process: an argument array, no shell, 32-bit float WAV through a
 * pipe with backpressure. The process is killed when the signal fires or the sink refuses.
 * @param ffmpeg the program, a path or a name on PATH
 * @throws MediaError `media/ffmpeg` if it cannot be started, `media/decode-failed`, `media/empty`, whatever `sink` throws
 */
export async function decodeWithFfmpeg(
  ffmpeg: string,
  path: string,
  sink: PcmSink,
  signal: AbortSignal,
): Promise<DecodeReport> {
  const pieces = ffmpegOutput(ffmpeg, path, signal);
  const reader = wavIntoSink(sink);
  let step = await pieces.next();
  for (; !step.done; step = await pieces.next()) reader.push(step.value);
  return judge(step.value, reader.frames, path);
}

/** Sound as `streamWithFfmpeg` gives it: interleaved samples in the form of the file, and what that form is. */
export interface FfmpegPiece {
  readonly pcm: Float32Array;
  readonly frames: number;
  readonly sampleRate: number;
  readonly channels: number;
}

/**
 * Decodes the first audio stream of a file with an ffmpeg process, piece by piece: what is not taken waits in ffmpeg, so memory is a
 * few pieces whatever the length. Ending the iteration early kills the process.
 * @param onEnd told what ffmpeg said, after the last piece
 * @throws MediaError as `decodeWithFfmpeg`
 */
export async function* streamWithFfmpeg(
  ffmpeg: string,
  path: string,
  signal: AbortSignal = new AbortController().signal,
  onEnd?: (report: DecodeReport) => void,
): AsyncGenerator<FfmpegPiece> {
  let waiting: FfmpegPiece[] = [];
  let form = { sampleRate: 0, channels: 0 };
  const reader = new WavReader(
    (pcm, frames) => waiting.push({ pcm: pcm.slice(0, frames * form.channels), frames, ...form }),
    {
      onHead: ({ format }) => {
        form = { sampleRate: format.sampleRate, channels: format.channels };
      },
    },
  );
  const pieces = ffmpegOutput(ffmpeg, path, signal);
  try {
    let step = await pieces.next();
    for (; !step.done; step = await pieces.next()) {
      reader.push(step.value);
      yield* waiting;
      waiting = [];
    }
    onEnd?.(judge(step.value, reader.frames, path));
  } finally {
    await pieces.return(ending);
  }
}

/** How a process ended. */
interface Ending {
  readonly status: number | null;
  readonly complaint: string;
}

const ending: Ending = { status: null, complaint: "" };

/** What ffmpeg writes: a WAV file of 32-bit floats; the process is gone when the iteration is over. */
async function* ffmpegOutput(
  ffmpeg: string,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, Ending> {
  throwIfAborted(signal);
  const input = ["-protocol_whitelist", "file", "-format_whitelist", demuxers, "-i", `file:${resolve(path)}`];
  const output = [
    "-map",
    "0:a:0",
    "-vn",
    "-sn",
    "-dn",
    "-bitexact",
    "-c:a",
    "pcm_f32le",
    "-f",
    "wav",
    "pipe:1",
  ];
  const child = spawn(ffmpeg, ["-nostdin", "-hide_banner", "-v", "error", ...input, ...output], {
    stdio: ["ignore", "pipe", "pipe"],
    windowsHide: true,
  });
  const exited = once(child, "close") as Promise<[number | null, string | null]>;
  const failed = exited.then(
    () => undefined,
    (error: unknown) => error,
  );
  const kill = () => child.kill("SIGKILL");
  signal.addEventListener("abort", kill, { once: true });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-keptComplaint);
  });
  try {
    for await (const piece of child.stdout as AsyncIterable<Uint8Array>) {
      throwIfAborted(signal);
      yield piece;
    }
    const failure = await failed;
    if (failure !== undefined) {
      throw new MediaError("media/ffmpeg", `${ffmpeg} could not be started: ${(failure as Error).message}.`, {
        cause: failure,
      });
    }
    if (signal.aborted) throw abortError(signal);
    const [status] = await exited;
    return { status, complaint };
  } finally {
    signal.removeEventListener("abort", kill);
    child.kill("SIGKILL");
  }
}

function judge({ status, complaint }: Ending, frames: number, path: string): DecodeReport {
  const reason = lastLine(complaint, path);
  if (frames > 0) return { truncated: status !== 0, warnings: reason === "" ? [] : [reason] };
  if (/matches no streams|does not contain any stream/.test(complaint)) {
    throw new MediaError("media/empty", "There is no audio stream in the input.");
  }
  throw new MediaError("media/decode-failed", `ffmpeg could not decode the input: ${reason || "no audio"}.`);
}

/** The last line of the complaints, without the path, which says nothing to the reader of the message. */
function lastLine(complaint: string, path: string): string {
  const line = complaint.trimEnd().split("\n").at(-1) ?? "";
  return line.replaceAll(`file:${resolve(path)}: `, "").replace(/[.]$/, "");
}
