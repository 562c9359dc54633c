import type { Bandwidth, FrameMs, MappingFamily, OpusEncoderSettings } from "@longwave/opus";
import { CliError } from "../errors.ts";
import { printResult } from "../output.ts";
import { replaceFile } from "../replace-file.ts";
import { bitSink, EncodeRun, oggSink, type PacketSink } from "./encode-run.ts";
import { type EncodeSource, openRaw, openSoundFile } from "./encode-source.ts";
import { makeTags, type TagOptions } from "./encode-tags.ts";
import { openSink, refuseSameFile } from "./file-sink.ts";

export interface OpusEncodeOptions extends TagOptions {
  readonly bitrate?: number;
  readonly vbr?: boolean;
  readonly cvbr?: boolean;
  readonly hardCbr?: boolean;
  readonly comp: number;
  readonly framesize: FrameMs;
  readonly music?: boolean;
  readonly speech?: boolean;
  readonly application: "voip" | "audio" | "lowdelay";
  readonly expectLoss: number;
  readonly fec?: 0 | 1 | 2;
  readonly dtx?: boolean;
  readonly bandwidth?: Bandwidth;
  readonly downmixMono?: boolean;
  readonly downmixStereo?: boolean;
  readonly phaseInv: boolean;
  readonly maxDelay: number;
  readonly family?: MappingFamily;
  readonly raw?: boolean;
  readonly rawRate: number;
  readonly rawBits: 8 | 16 | 24 | 32;
  readonly rawFloat?: boolean;
  readonly rawChan: number;
  readonly rawEndianness: "0" | "1";
  readonly serial?: number;
  readonly saveRange?: string;
  readonly format: "ogg" | "bit";
  readonly quiet?: boolean;
  readonly json?: boolean;
}

/** `longwave opus encode IN [OUT]`: Ogg Opus of a sound file or of raw samples. */
export async function encode(
  input: string,
  output: string | undefined,
  options: OpusEncodeOptions,
): Promise<void> {
  const started = performance.now();
  const suffix = options.format === "bit" ? "bit" : "opus";
  const target = output ?? (input === "-" ? "-" : `${input.replace(/\.[^./]+$/, "")}.${suffix}`);
  await refuseSameFile(input, target);
  const source = await openSource(input, options);
  const { sampleRate, channels } = source;
  const family = options.family ?? (channels <= 2 ? 0 : channels <= 8 ? 1 : 255);
  const settings = settingsOf(options, source);
  const pending: Buffer[] = [];
  const put = (bytes: Uint8Array) => void pending.push(Buffer.from(bytes));
  const to: { packets?: PacketSink } = {};
  let interrupted = false;
  const run = new EncodeRun(
    {
      sampleRate,
      channels,
      family,
      application: options.application,
      frameMs: options.framesize,
      settings,
      waveOrder: source.waveOrder,
    },
    (packet, finalRange) => to.packets!.write(packet, finalRange),
  );
  try {
    const tags = await makeTags(options, describe(options));
    let sink: Awaited<ReturnType<typeof openSink>> | undefined;
    const stop = () => {
      interrupted = true;
    };
    try {
      for await (const block of source.blocks) {
        if (sink === undefined) {
          // Only now: an input that cannot be read leaves an older output as it was.
          // The first Ctrl-C ends the file properly; a second one ends the process at once.
          process.once("SIGINT", stop);
          sink = await openSink(target);
          to.packets = openPackets(run, source, block, options, tags, put);
        }
        run.push(block);
        await sink.write(Buffer.concat(pending.splice(0)));
        showProgress(run, source, started);
        if (interrupted) break;
      }
      if (sink === undefined) throw new CliError("cli/bad-argument", "malformed", `${input} holds no sound.`);
      to.packets!.finish(run.finish());
      await sink.write(Buffer.concat(pending.splice(0)));
    } finally {
      process.off("SIGINT", stop);
      await sink?.close();
    }
  } finally {
    run.close();
  }
  clearProgress();
  if (options.saveRange !== undefined) await writeRanges(options.saveRange, run);
  if (interrupted) {
    const seconds = (run.frames / source.sampleRate).toFixed(3);
    process.stderr.write(`longwave: Interrupted; ${target} holds the first ${seconds} s.\n`);
    process.exitCode = 130;
  }
  if (options.quiet && !options.json) return;
  report(target, run, source, family, options, (performance.now() - started) / 1000);
}

async function writeRanges(path: string, run: EncodeRun): Promise<void> {
  await replaceFile(path, run.ranges.join("")).catch((cause: Error) => {
    throw new CliError("cli/bad-argument", "usage", `${path} cannot be written: ${cause.message}.`, {
      cause,
    });
  });
}

function openSource(input: string, options: OpusEncodeOptions): Promise<EncodeSource> {
  const channels = options.downmixMono ? 1 : options.downmixStereo ? 2 : undefined;
  if (!options.raw) return openSoundFile(input, channels);
  const form = {
    sampleRate: options.rawRate,
    bits: options.rawFloat ? (32 as const) : options.rawBits,
    float: options.rawFloat === true,
    channels: options.rawChan,
    bigEndian: options.rawEndianness === "1",
  };
  return openRaw(input, form, channels);
}

function settingsOf(
  options: OpusEncodeOptions,
  { lsbDepth, channels }: EncodeSource,
): Partial<OpusEncoderSettings> {
  const fec = options.fec ?? (options.expectLoss > 0 ? 1 : 0);
  // 64 kbit/s for the first channel and 32 for each further one, as opusenc without a rate.
  const bitrateBps =
    options.bitrate === undefined ? 32000 * (channels + 1) : Math.round(options.bitrate * 1000);
  return {
    bitrateBps,
    complexity: options.comp,
    vbr: !options.hardCbr,
    vbrConstraint: options.cvbr === true,
    signal: options.music ? "music" : options.speech ? "voice" : "auto",
    packetLossPercent: Math.round(options.expectLoss),
    inbandFec: fec,
    dtx: options.dtx === true,
    lsbDepth,
    phaseInversionDisabled: !options.phaseInv,
    ...(options.bandwidth === undefined ? {} : { bandwidth: options.bandwidth }),
  };
}

/** What `ENCODER_OPTIONS` says. */
function describe(options: OpusEncodeOptions): string {
  return [
    ...(options.bitrate === undefined ? [] : [`--bitrate ${options.bitrate}`]),
    options.hardCbr ? "--hard-cbr" : options.cvbr ? "--cvbr" : "--vbr",
    `--comp ${options.comp}`,
    ...(options.framesize === 20 ? [] : [`--framesize ${options.framesize}`]),
    ...(options.expectLoss > 0 ? [`--expect-loss ${options.expectLoss}`] : []),
  ].join(" ");
}

function openPackets(
  run: EncodeRun,
  source: EncodeSource,
  first: Float32Array,
  options: OpusEncodeOptions,
  tags: Awaited<ReturnType<typeof makeTags>>,
  put: (bytes: Uint8Array) => void,
): PacketSink {
  if (options.format === "bit") return bitSink(put);
  const serial = options.serial ?? hashOf(first, describe(options));
  return oggSink(put, run.head(source.inputSampleRate), tags, serial, options.maxDelay);
}

/** FNV-1a of the first samples and the options: the same input gives the same file. */
function hashOf(first: Float32Array, text: string): number {
  let hash = 0x811c9dc5;
  const mix = (value: number) => {
    hash = Math.imul(hash ^ value, 0x01000193) >>> 0;
  };
  for (const value of first.subarray(0, 48000)) mix(Math.round(value * 32768) & 0xffff);
  for (let i = 0; i < text.length; i++) mix(text.charCodeAt(i));
  return hash;
}

let shown = 0;

function showProgress(run: EncodeRun, source: EncodeSource, started: number): void {
  const now = performance.now();
  if (!process.stderr.isTTY || now - shown < 250) return;
  shown = now;
  const seconds = run.frames / source.sampleRate;
  const share = source.frames === undefined ? "" : `${Math.floor((100 * run.frames) / source.frames)} %, `;
  const speed = seconds / ((now - started) / 1000);
  process.stderr.write(
    `\r${share}${seconds.toFixed(1)} s, ${speed.toFixed(0)}x real time, ${rate(run, seconds)} kbit/s   `,
  );
}

function clearProgress(): void {
  if (shown > 0) process.stderr.write("\r\x1b[K");
}

function rate(run: EncodeRun, seconds: number): string {
  return seconds > 0 ? ((run.bytes * 8) / seconds / 1000).toFixed(1) : "0.0";
}

function report(
  target: string,
  run: EncodeRun,
  source: EncodeSource,
  family: MappingFamily,
  options: OpusEncodeOptions,
  elapsedSeconds: number,
): void {
  const seconds = run.frames / source.sampleRate;
  const codedSeconds = (run.packets * options.framesize) / 1000;
  const result = {
    output: target,
    seconds,
    sampleRate: source.sampleRate,
    inputSampleRate: source.inputSampleRate,
    channels: source.channels,
    family,
    streams: run.streams,
    coupled: run.coupled,
    preSkip: run.preSkip,
    frames: run.frames,
    packets: run.packets,
    bytes: run.bytes,
    smallestPacket: run.smallest,
    largestPacket: run.largest,
    bitrateBps: codedSeconds > 0 ? Math.round((run.bytes * 8) / codedSeconds) : 0,
    modes: run.modes,
    bandwidths: run.bandwidths,
    elapsedSeconds: Number(elapsedSeconds.toFixed(3)),
    speed: Number((seconds / elapsedSeconds).toFixed(1)),
    warnings: source.warnings,
  };
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ");
  const lines = () => [
    `${target}: ${seconds.toFixed(3)} s, ${source.channels} channels at ${source.inputSampleRate} Hz, ${run.packets} packets of ${options.framesize} ms`,
    `  encoded in ${elapsedSeconds.toFixed(2)} s (${(seconds / elapsedSeconds).toFixed(1)}x real time)`,
    `  ${(result.bitrateBps / 1000).toFixed(1)} kbit/s, packets of ${run.smallest} to ${run.largest} bytes`,
    `  modes: ${list(run.modes)}; bandwidths: ${list(run.bandwidths)}`,
    ...source.warnings.map((warning) => `warning: ${warning}`),
  ];
  if (target !== "-") printResult(options.json === true, result, lines);
  // Standard output has the packets then.
  else process.stderr.write(options.json ? `${JSON.stringify(result)}\n` : `${lines().join("\n")}\n`);
}
