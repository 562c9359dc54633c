import { open, readFile, realpath, stat, writeFile } from "node:fs/promises";
import { SeededRandom } from "@longwave/base";
import {
  encodeSamples,
  type OpusHead,
  opusHeadInWaveOrder,
  opusPacketFrames,
  opusWaveMask,
  type SampleEncoding,
  WavEncoder,
} from "@longwave/media";
import { OpusDecoder, OpusMultistreamDecoder, type SampleRate } from "@longwave/opus";
import { parseDurationUs } from "../duration.ts";
import { CliError } from "../errors.ts";
import { printResult } from "../output.ts";
import { type ContainerReport, readPackets } from "./packet-source.ts";

export interface OpusDecodeOptions {
  readonly rate: SampleRate;
  readonly forceStereo?: boolean;
  readonly float?: boolean;
  readonly int16?: boolean;
  readonly int24?: boolean;
  readonly raw?: boolean;
  readonly gain: number;
  readonly packetLoss: number;
  readonly lossTrace?: string;
  readonly fec?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly saveRange?: string;
  readonly json?: boolean;
}

type AnyDecoder = OpusDecoder | OpusMultistreamDecoder;

/** `longwave opus decode IN [OUT]`: a WAV file, or raw samples with `--raw`. */
export async function decode(
  input: string,
  output: string | undefined,
  options: OpusDecodeOptions,
): Promise<void> {
  const encoding: SampleEncoding = options.float ? "f32" : options.int24 ? "s24" : "s16";
  const target =
    output ?? (input === "-" ? "-" : `${input.replace(/\.[^./]+$/, "")}.${options.raw ? "raw" : "wav"}`);
  await refuseSameFile(input, target);
  const losses = await lossPattern(options);
  const run = new DecodeRun(options, encoding, losses);
  let sink: Sink | undefined;
  let container: ContainerReport | undefined;
  try {
    for await (const packet of readPackets(input, (report) => (container = report))) {
      if (packet.head !== undefined) run.begin(packet.head);
      if (sink === undefined) {
        // Only now: an input that is no Opus leaves an older output as it was.
        sink = await openSink(target);
        if (!options.raw) await sink.write(run.header(undefined));
      }
      for (const block of run.decode(packet.data, packet.gapBefore, packet.skipStart, packet.trimEnd)) {
        await sink.write(block);
      }
    }
    if (sink === undefined) {
      throw new CliError("cli/not-opus", "malformed", `${input} ends before its first Opus packet.`);
    }
    for (const block of run.flush()) await sink.write(block);
    if (!options.raw) {
      await sink.write(run.trailer());
      await sink.rewrite(run.header(run.frames));
    }
  } finally {
    run.close();
    await sink?.close();
  }
  if (options.saveRange !== undefined) await writeFile(options.saveRange, run.ranges.join(""));
  if (target === "-") return;
  const report = {
    output: target,
    sampleRate: options.rate,
    channels: run.channels,
    frames: run.frames,
    packets: run.packets,
    lost: run.lost,
    malformed: run.malformed,
    truncated: container?.truncated ?? false,
    damagedBytes: container?.damagedBytes ?? 0,
    gaps: container?.gaps ?? 0,
  };
  printResult(options.json === true, report, () => [
    `${target}: ${(run.frames / options.rate).toFixed(3)} s, ${run.channels} channels at ${options.rate} Hz, ${run.packets} packets, ${run.lost} lost, ${run.malformed} malformed`,
    ...(report.truncated ? ["warning: the file ends before its last page or inside an element"] : []),
    ...(report.damagedBytes > 0 ? [`warning: ${report.damagedBytes} bytes belong to no whole page`] : []),
    ...(report.gaps > 0 ? [`warning: ${report.gaps} gaps were concealed`] : []),
  ]);
}

/** Opening the output empties it: that must not be the input. */
async function refuseSameFile(input: string, output: string): Promise<void> {
  if (input === "-" || output === "-") return;
  const [from, to] = await Promise.all([input, output].map((path) => realpath(path).catch(() => undefined)));
  if (from === undefined || from !== to || !(await stat(from)).isFile()) return;
  throw new CliError("cli/bad-argument", "usage", `${output} is the input itself; name another output.`);
}

/** Which packets are dropped on purpose: by a trace of 0 and 1, or at random with a fixed seed. */
async function lossPattern(options: OpusDecodeOptions): Promise<(index: number) => boolean> {
  if (options.lossTrace !== undefined) {
    const text = await readFile(options.lossTrace, "utf8").catch((cause: Error) => {
      throw new CliError(
        "cli/bad-argument",
        "usage",
        `The loss trace ${options.lossTrace} cannot be read: ${cause.message}.`,
        { cause },
      );
    });
    const marks = text.match(/[01]/g) ?? [];
    return (index) => marks.length > 0 && marks[index % marks.length] === "1";
  }
  const random = new SeededRandom(1);
  return () => random.next() * 100 < options.packetLoss;
}

interface Sink {
  write(bytes: Uint8Array): Promise<void>;
  /** Replaces the start of the file, where it can seek. */
  rewrite(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

async function openSink(path: string): Promise<Sink> {
  if (path === "-") {
    return {
      write: (bytes) =>
        new Promise((resolve, reject) => {
          process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
        }),
      rewrite: async () => undefined,
      close: async () => undefined,
    };
  }
  const file = await open(path, "w").catch((cause: Error) => {
    throw new CliError("cli/bad-argument", "usage", `${path} cannot be written: ${cause.message}.`, {
      cause,
    });
  });
  return {
    write: async (bytes) => {
      await file.writeFile(bytes);
    },
    rewrite: async (bytes) => {
      await file.write(bytes, 0, bytes.length, 0);
    },
    close: () => file.close(),
  };
}

const longestFrames = 5760;

/** The state of one decoding: decoder, position, pending loss. */
class DecodeRun {
  channels = 0;
  frames = 0;
  packets = 0;
  lost = 0;
  malformed = 0;
  readonly ranges: string[] = [];
  readonly #options: OpusDecodeOptions;
  readonly #encoding: SampleEncoding;
  readonly #isLost: (index: number) => boolean;
  readonly #from: number;
  readonly #to: number;
  #decoder: AnyDecoder | undefined;
  #wav: WavEncoder | undefined;
  #position = 0;
  /** Frames whose packet was dropped and that wait for the next packet's redundancy. */
  #pending = 0;
  /** What the file cuts from the start and end of those frames. */
  #pendingSkip = 0;
  #pendingTrim = 0;
  #pcm = new Float32Array(0);
  #shorts = new Int16Array(0);

  constructor(options: OpusDecodeOptions, encoding: SampleEncoding, isLost: (index: number) => boolean) {
    this.#options = options;
    this.#encoding = encoding;
    this.#isLost = isLost;
    const frames = (text: string) => Math.round((parseDurationUs(text) * options.rate) / 1e6);
    this.#from = options.from === undefined ? 0 : frames(options.from);
    this.#to = options.to === undefined ? Number.POSITIVE_INFINITY : frames(options.to);
  }

  /** A stream begins; later streams of a chain must have as many channels. */
  begin(head: OpusHead): void {
    const channels = this.#options.forceStereo && head.channels === 1 ? 2 : head.channels;
    if (this.channels !== 0 && channels !== this.channels) {
      throw new CliError(
        "cli/channels-change",
        "unsupported",
        `A later stream of the file has ${channels} channels, the first ${this.channels}; try --force-stereo.`,
      );
    }
    this.channels = channels;
    this.#wav ??= new WavEncoder({
      sampleRate: this.#options.rate,
      channels,
      encoding: this.#encoding,
      channelMask: opusWaveMask(head),
    });
    this.#decoder?.close();
    const gainQ8 = Math.max(-32768, Math.min(32767, head.gainQ8 + Math.round(this.#options.gain * 256)));
    const common = { sampleRate: this.#options.rate, gainQ8 };
    this.#decoder =
      head.family === 0 || head.channels < channels
        ? new OpusDecoder({ ...common, channels: channels as 1 | 2 })
        : new OpusMultistreamDecoder({ ...common, ...opusHeadInWaveOrder(head), gainQ8 });
    this.#pcm = new Float32Array(longestFrames * channels);
    this.#shorts = new Int16Array(longestFrames * channels);
  }

  header(frames: number | undefined): Uint8Array {
    return this.#wav!.header(frames);
  }

  trailer(): Uint8Array {
    return this.#wav!.trailer();
  }

  *decode(data: Uint8Array, gapBefore: number, skipStart: number, trimEnd: number): Generator<Uint8Array> {
    const decoder = this.#decoder!;
    const scale = this.#options.rate / 48000;
    let missing = Math.round(gapBefore * scale);
    const step = this.#options.rate / 400;
    missing -= missing % step;
    for (; missing > 0; missing -= longestFrames * scale) {
      yield* this.#conceal(Math.min(missing, longestFrames * scale), 0, 0);
    }
    const index = this.packets++;
    const skip = Math.round(skipStart * scale);
    const trim = Math.round(trimEnd * scale);
    if (data.length === 0 || this.#isLost(index)) {
      yield* this.flush();
      this.lost++;
      this.#pending =
        Math.round(opusPacketFrames(data) * scale) || decoder.lastPacketFrames || this.#options.rate / 50;
      this.#pendingSkip = skip;
      this.#pendingTrim = trim;
      if (!this.#options.fec) yield* this.flush();
      this.ranges.push(`${data.length}, 0, 0\n`);
      return;
    }
    if (this.#pending > 0) yield* this.#recover(decoder, data);
    let frames: number;
    try {
      frames = this.#decodePacket(decoder, data);
    } catch (error) {
      if ((error as { code?: string }).code !== "opus/invalid-packet") throw error;
      this.malformed++;
      this.ranges.push(`${data.length}, 0, 0\n`);
      yield* this.#conceal(decoder.lastPacketFrames || this.#options.rate / 50, skip, trim);
      return;
    }
    this.ranges.push(`${data.length}, ${decoder.finalRange}, ${Math.round(frames / scale)}\n`);
    yield* this.#emit(frames, skip, trim);
  }

  /** Conceals a loss that no packet follows. */
  *flush(): Generator<Uint8Array> {
    const pending = this.#pending;
    this.#pending = 0;
    yield* this.#conceal(pending, this.#pendingSkip, this.#pendingTrim);
  }

  /** Fills a loss from the redundancy of the packet behind it, or by concealment where that one is malformed. */
  *#recover(decoder: AnyDecoder, data: Uint8Array): Generator<Uint8Array> {
    let frames: number;
    try {
      frames = decoder.decodeFec(data, this.#pcm, this.#pending);
    } catch (error) {
      if ((error as { code?: string }).code !== "opus/invalid-packet") throw error;
      yield* this.flush();
      return;
    }
    this.#pending = 0;
    yield* this.#emit(frames, this.#pendingSkip, this.#pendingTrim);
  }

  close(): void {
    this.#decoder?.close();
  }

  /** 16-bit output goes through the decoder's own conversion, for its soft clip. */
  #decodePacket(decoder: AnyDecoder, data: Uint8Array): number {
    if (this.#encoding !== "s16") return decoder.decode(data, this.#pcm);
    const frames = decoder.decodeInt16(data, this.#shorts);
    for (let i = 0; i < frames * this.channels; i++) this.#pcm[i] = this.#shorts[i]! / 32768;
    return frames;
  }

  *#conceal(frames: number, skip: number, trim: number): Generator<Uint8Array> {
    if (frames <= 0) return;
    yield* this.#emit(this.#decoder!.decode(null, this.#pcm, frames), skip, trim);
  }

  /** Cuts what is not wanted and turns the rest into bytes. */
  *#emit(frames: number, skip: number, trim: number): Generator<Uint8Array> {
    let start = Math.min(skip, frames);
    let end = Math.max(start, frames - trim);
    const position = this.#position - start;
    this.#position += end - start;
    start = Math.max(start, this.#from - position);
    end = Math.min(end, this.#to - position);
    const count = end - start;
    if (count <= 0) return;
    const samples = count * this.channels;
    const bytes = new Uint8Array(count * this.#wav!.frameBytes);
    const sound = this.#pcm.subarray(start * this.channels, end * this.channels);
    if (this.#options.raw) encodeSamples(sound, 0, samples, this.#encoding, false, bytes, 0);
    else this.#wav!.write(sound, count, bytes);
    this.frames += count;
    yield bytes;
  }
}
