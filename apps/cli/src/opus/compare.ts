import { createReadStream } from "node:fs";
import { buffer } from "node:stream/consumers";
import { isLongwaveError } from "@longwave/base";
import { toInt16 } from "@longwave/media";
import { opusCompare, type SampleRate } from "@longwave/opus";
import { CliError } from "../errors.ts";
import { readSound } from "../id/read-sound.ts";
import { printResult } from "../output.ts";
import { PacketInspector } from "./packet-inspector.ts";
import { readPackets, type SourcePacket } from "./packet-source.ts";
import { type Difference, firstDifference } from "./trace-difference.ts";

export interface OpusCompareCommandOptions {
  readonly rate: SampleRate;
  readonly mono?: boolean;
  readonly raw?: boolean;
  readonly packets?: boolean;
  readonly json?: boolean;
}

/** `longwave opus compare A B`: two decodes of one stream, or with `--packets` two files packet by packet. */
export async function compare(a: string, b: string, options: OpusCompareCommandOptions): Promise<void> {
  if (options.packets) await comparePackets(a, b, options);
  else await compareSound(a, b, options);
}

/** Packets of one side, decoded along until the first difference so that their parameters can be told. */
class PacketSide {
  readonly #packets: AsyncGenerator<SourcePacket>;
  #inspector: PacketInspector | undefined;

  constructor(path: string) {
    this.#packets = readPackets(path);
  }

  async next(): Promise<SourcePacket | undefined> {
    const { done, value } = await this.#packets.next();
    if (done) return undefined;
    if (value.head !== undefined) {
      this.close();
      this.#inspector = new PacketInspector(value.head);
    }
    return value;
  }

  /** Decodes a packet, so that the next one can be read in its place. */
  advance(packet: SourcePacket): void {
    this.#inspector!.advance(packet.data);
  }

  /** The parameters of a packet, after all packets before it; undefined where it has none. */
  trace(packet: SourcePacket): unknown {
    try {
      return packet.data.length === 0 ? undefined : this.#inspector!.trace(packet.data);
    } catch (error) {
      if (isLongwaveError(error)) return undefined;
      throw error;
    }
  }

  close(): void {
    this.#inspector?.close();
  }
}

async function comparePackets(a: string, b: string, options: OpusCompareCommandOptions): Promise<void> {
  const [left, right] = [new PacketSide(a), new PacketSide(b)];
  let packets = 0;
  let identical = 0;
  let first: { packet: number; symbol: Difference | undefined } | undefined;
  try {
    for (;;) {
      const [x, y] = await Promise.all([left.next(), right.next()]);
      if (x === undefined && y === undefined) break;
      const same = x !== undefined && y !== undefined && Buffer.compare(x.data, y.data) === 0;
      if (first === undefined && x !== undefined && y !== undefined) {
        if (same) {
          left.advance(x);
          right.advance(y);
        } else first = { packet: packets, symbol: firstDifference(left.trace(x), right.trace(y)) };
      }
      if (same) identical++;
      else first ??= { packet: packets, symbol: undefined };
      packets++;
    }
  } finally {
    left.close();
    right.close();
  }
  const share = packets === 0 ? 1 : identical / packets;
  const report = { packets, identical, share, firstDifference: first?.packet, firstSymbol: first?.symbol };
  printResult(options.json === true, report, () => [
    `${identical} of ${packets} packets identical (${(100 * share).toFixed(2)} %)`,
    ...(first === undefined ? [] : [`the first difference is in packet ${first.packet}`]),
    ...(first?.symbol === undefined
      ? []
      : [`  ${first.symbol.path}: ${JSON.stringify(first.symbol.a)} and ${JSON.stringify(first.symbol.b)}`]),
  ]);
}

async function compareSound(a: string, b: string, options: OpusCompareCommandOptions): Promise<void> {
  const channels = options.mono ? 1 : 2;
  const reference = await sound(a, 48_000, 2, options);
  const tested = await sound(b, options.rate, channels, options);
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
          alike.firstDifference === undefined
            ? "the samples are equal"
            : `the first difference is in frame ${alike.firstDifference.frame}, channel ${alike.firstDifference.channel}: ${alike.firstDifference.reference} and ${alike.firstDifference.tested}`,
        ]),
  ]);
  if (!passed) throw new CliError("cli/check-failed", "malformed", `${b} does not pass against ${a}.`);
}

async function sound(
  path: string,
  rate: number,
  channels: number,
  options: OpusCompareCommandOptions,
): Promise<Float32Array> {
  if (options.raw) return rawSound(path, channels);
  const { samples, sampleRate } = await readSound(path, { channels });
  if (sampleRate === rate) return samples as Float32Array;
  throw new CliError(
    "cli/bad-argument",
    "usage",
    `${path} has ${sampleRate} Hz, not ${rate}: the reference is at 48000 Hz, the rate of the other is given with --rate.`,
  );
}

/** 16-bit little-endian samples, as `opus_compare` of the standard reads them. */
async function rawSound(path: string, channels: number): Promise<Float32Array> {
  const bytes = await buffer(path === "-" ? process.stdin : createReadStream(path)).catch((cause: Error) => {
    throw new CliError("cli/bad-argument", "usage", `${path} cannot be read: ${cause.message}.`, { cause });
  });
  if (bytes.length === 0 || bytes.length % (2 * channels) !== 0) {
    throw new CliError(
      "cli/bad-argument",
      "malformed",
      `${path} has ${bytes.length} bytes, no whole number of frames of ${channels} 16-bit samples.`,
    );
  }
  return Float32Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readInt16LE(2 * i) / 32768);
}

function int16(pcm: Float32Array): Int16Array {
  const ints = new Int16Array(pcm.length);
  toInt16(pcm, ints);
  return ints;
}

/** Of two stereo sounds; the shorter one counts as followed by silence. */
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
  return {
    snrDb,
    maxDifference,
    firstDifferenceFrame: first === undefined ? undefined : first >> 1,
    firstDifference:
      first === undefined
        ? undefined
        : { frame: first >> 1, channel: first & 1, reference: a[first] ?? 0, tested: b[first] ?? 0 },
  };
}
