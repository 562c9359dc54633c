import { toInt16 } from "@longwave/media";
import { opusCompare, type SampleRate } from "@longwave/opus";
import { CliError } from "../errors.ts";
import { readSound } from "../id/read-sound.ts";
import { printResult } from "../output.ts";
import { readPackets } from "./packet-source.ts";

export interface OpusCompareCommandOptions {
  readonly rate: SampleRate;
  readonly mono?: boolean;
  readonly packets?: boolean;
  readonly json?: boolean;
}

/** `longwave opus compare A B`: two decodes of one stream, or with `--packets` two files packet by packet. */
export async function compare(a: string, b: string, options: OpusCompareCommandOptions): Promise<void> {
  if (options.packets) await comparePackets(a, b, options);
  else await compareSound(a, b, options);
}

async function comparePackets(a: string, b: string, options: OpusCompareCommandOptions): Promise<void> {
  const [left, right] = [readPackets(a), readPackets(b)];
  let packets = 0;
  let identical = 0;
  let firstDifference: number | undefined;
  for (;;) {
    const [x, y] = await Promise.all([left.next(), right.next()]);
    if (x.done && y.done) break;
    const same = !x.done && !y.done && Buffer.compare(x.value.data, y.value.data) === 0;
    if (same) identical++;
    else firstDifference ??= packets;
    packets++;
  }
  const share = packets === 0 ? 1 : identical / packets;
  printResult(options.json === true, { packets, identical, share, firstDifference }, () => [
    `${identical} of ${packets} packets identical (${(100 * share).toFixed(2)} %)`,
    ...(firstDifference === undefined ? [] : [`the first difference is in packet ${firstDifference}`]),
  ]);
}

async function compareSound(a: string, b: string, options: OpusCompareCommandOptions): Promise<void> {
  const channels = options.mono ? 1 : 2;
  const reference = await sound(a, 48_000, 2);
  const tested = await sound(b, options.rate, channels);
  const { quality, error, passed } = opusCompare(int16(reference), int16(tested), {
    sampleRate: options.rate,
    channels,
  });
  const alike = options.rate === 48_000 && channels === 2 ? differences(reference, tested) : undefined;
  printResult(options.json === true, { quality, error, passed, ...alike }, () => [
    `quality ${quality.toFixed(2)} %, internal weighted error ${error.toExponential(3)}: ${passed ? "passes" : "FAILS"}`,
    ...(alike === undefined
      ? []
      : [
          `signal to difference ${alike.snrDb.toFixed(1)} dB, largest difference ${alike.maxDifference}`,
          alike.firstDifferenceFrame === undefined
            ? "the samples are equal"
            : `the first difference is in frame ${alike.firstDifferenceFrame}`,
        ]),
  ]);
  if (!passed) throw new CliError("cli/check-failed", "malformed", `${b} does not pass against ${a}.`);
}

async function sound(path: string, rate: number, channels: number): Promise<Float32Array> {
  const { samples, sampleRate } = await readSound(path, { channels });
  if (sampleRate === rate) return samples as Float32Array;
  throw new CliError(
    "cli/bad-argument",
    "usage",
    `${path} has ${sampleRate} Hz, not ${rate}: the reference is at 48000 Hz, the rate of the other is given with --rate.`,
  );
}

function int16(pcm: Float32Array): Int16Array {
  const ints = new Int16Array(pcm.length);
  toInt16(pcm, ints);
  return ints;
}

function differences(a: Float32Array, b: Float32Array) {
  let signal = 0;
  let noise = 0;
  let maxDifference = 0;
  let first: number | undefined;
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a[i] ?? 0;
    const difference = x - (b[i] ?? 0);
    signal += x * x;
    noise += difference * difference;
    maxDifference = Math.max(maxDifference, Math.abs(difference));
    if (difference !== 0) first ??= i;
  }
  const snrDb = noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
  return { snrDb, maxDifference, firstDifferenceFrame: first === undefined ? undefined : first >> 1 };
}
