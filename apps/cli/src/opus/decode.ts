import { readFile } from "node:fs/promises";
import { SeededRandom } from "@longwave/base";
import { opusWaveMask, type SampleEncoding } from "@longwave/media";
import type { SampleRate } from "@longwave/opus";
import { parseDurationUs } from "../duration.ts";
import { CliError } from "../errors.ts";
import { printResult } from "../output.ts";
import { DecodeRun } from "./decode-run.ts";
import { type FileSink, openSink, refuseSameFile } from "./file-sink.ts";
import { type ContainerReport, readPackets } from "./packet-source.ts";
import { type SampleForm, SampleWriter } from "./sample-writer.ts";

export interface OpusDecodeOptions {
  readonly rate: number;
  readonly forceStereo?: boolean;
  readonly float?: boolean;
  readonly int16?: boolean;
  readonly int24?: boolean;
  readonly raw?: boolean;
  readonly forceWav?: boolean;
  readonly gain: number;
  readonly dither?: boolean;
  readonly packetLoss: number;
  readonly lossTrace?: string;
  readonly fec?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly saveRange?: string;
  readonly quiet?: boolean;
  readonly json?: boolean;
}

const opusRates: readonly number[] = [8000, 12000, 16000, 24000, 48000];

/** `longwave opus decode IN [OUT]`: a WAV file, or raw samples with `--raw`. */
export async function decode(
  input: string,
  output: string | undefined,
  options: OpusDecodeOptions,
): Promise<void> {
  const encoding: SampleEncoding = options.float ? "f32" : options.int24 ? "s24" : "s16";
  const target =
    output ?? (input === "-" ? "-" : `${input.replace(/\.[^./]+$/, "")}.${options.raw ? "raw" : "wav"}`);
  const raw = options.raw === true || (options.forceWav !== true && /\.(raw|pcm|sw)$/i.test(target));
  await refuseSameFile(input, target);
  // Other rates come from 48 kHz through the resampler.
  const sampleRate = (opusRates.includes(options.rate) ? options.rate : 48_000) as SampleRate;
  const dither = options.dither === true && encoding === "s16";
  const frames = (text: string) => Math.round((parseDurationUs(text) * sampleRate) / 1e6);
  const from = options.from === undefined ? 0 : frames(options.from);
  const to = options.to === undefined ? Number.POSITIVE_INFINITY : frames(options.to);
  if (to <= from) {
    throw new CliError(
      "cli/bad-argument",
      "usage",
      `--to ${options.to} is not behind --from ${options.from ?? 0}.`,
    );
  }
  const isLost = await lossPattern(options);
  const ranges = options.saveRange === undefined ? undefined : await openSink(options.saveRange);
  const run = new DecodeRun({
    sampleRate,
    forceStereo: options.forceStereo === true,
    gainDb: options.gain,
    int16: encoding === "s16" && !dither && sampleRate === options.rate,
    fec: options.fec === true,
    from,
    to,
    isLost,
  });
  const form = { sampleRate: options.rate, encoding, raw, dither };
  let result: Awaited<ReturnType<typeof decodeInto>>;
  try {
    result = await decodeInto(input, target, run, form);
    await ranges?.write(Buffer.from(run.ranges.join("")));
  } finally {
    await ranges?.close();
  }
  if (target === "-" || (options.quiet && !options.json)) return;
  const { container } = result;
  const report = {
    output: target,
    sampleRate: options.rate,
    channels: run.channels,
    frames: result.frames,
    packets: run.packets,
    lost: run.lost,
    malformed: run.malformed,
    truncated: container?.truncated ?? false,
    damagedBytes: container?.damagedBytes ?? 0,
    gaps: container?.gaps ?? 0,
    shortenedGaps: run.shortenedGaps,
  };
  printResult(options.json === true, report, () => [
    `${target}: ${(report.frames / options.rate).toFixed(3)} s, ${run.channels} channels at ${options.rate} Hz, ${run.packets} packets, ${run.lost} lost, ${run.malformed} malformed`,
    ...(report.truncated ? ["warning: the file ends before its last page or inside an element"] : []),
    ...(report.damagedBytes > 0 ? [`warning: ${report.damagedBytes} bytes belong to no whole page`] : []),
    ...(report.gaps > 0 ? [`warning: ${report.gaps} gaps were concealed`] : []),
    ...(report.shortenedGaps > 0 ? [`warning: ${report.shortenedGaps} of them were shortened to 10 s`] : []),
  ]);
}

async function decodeInto(
  input: string,
  target: string,
  run: DecodeRun,
  form: Omit<SampleForm, "channels" | "channelMask">,
): Promise<{ frames: number; container: ContainerReport | undefined }> {
  let sink: FileSink | undefined;
  let writer: SampleWriter | undefined;
  let container: ContainerReport | undefined;
  try {
    for await (const packet of readPackets(input, (report) => (container = report))) {
      if (packet.head !== undefined) {
        run.begin(packet.head);
        const channelMask = opusWaveMask(packet.head);
        writer ??= new SampleWriter({ ...form, channels: run.channels, channelMask }, run.sampleRate);
      }
      if (sink === undefined) {
        // Only now: an input that is no Opus leaves an older output as it was.
        sink = await openSink(target);
        await sink.write(writer!.header());
      }
      for (const block of run.decode(packet.data, packet.gapBefore, packet.skipStart, packet.trimEnd)) {
        await sink.write(writer!.write(block.pcm, block.frames));
      }
    }
    if (sink === undefined || writer === undefined) {
      throw new CliError("cli/not-opus", "malformed", `${input} ends before its first Opus packet.`);
    }
    for (const block of run.flush()) await sink.write(writer.write(block.pcm, block.frames));
    await sink.write(writer.flush());
    await sink.write(writer.trailer());
    await sink.rewrite(writer.header(writer.frames));
    return { frames: writer.frames, container };
  } catch (error) {
    // What was written so far stays, as a file of that length.
    if (sink !== undefined && writer !== undefined) await sink.rewrite(writer.header(writer.frames));
    throw error;
  } finally {
    run.close();
    writer?.close();
    await sink?.close();
  }
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
    const marks = text.match(/[01]/g);
    if (marks === null) {
      throw new CliError(
        "cli/bad-argument",
        "usage",
        `The loss trace ${options.lossTrace} has no 0 and no 1.`,
      );
    }
    return (index) => marks[index % marks.length] === "1";
  }
  const random = new SeededRandom(1);
  return () => random.next() * 100 < options.packetLoss;
}
