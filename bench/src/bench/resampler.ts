// Resampler: speed as a multiple of real time (mono, 20 ms pushes) and signal to noise of a swept sine against the exact
// one. 44.1 to 48 kHz also beside linear interpolation in plain JavaScript, the least that anybody can do.
import { Resampler } from "@longwave/dsp";
import { type Contestant, printReport, sideBySide } from "../side-by-side.js";

const pairs = [
  [44_100, 48_000],
  [48_000, 44_100],
  [48_000, 16_000],
  [48_000, 8000],
  [44_100, 8000],
  [44_101, 48_000],
] as const;

function sweptSineSnr(from: number, to: number): number {
  const seconds = 2;
  const top = 0.9 * (Math.min(from, to) / 2);
  const sweep = (t: number) => 0.9 * Math.sin(2 * Math.PI * (20 * t + ((top - 20) * t * t) / (2 * seconds)));
  const input = Float32Array.from({ length: from * seconds }, (_, n) => sweep(n / from));
  const resampler = new Resampler({ from, to });
  const output = new Float32Array(resampler.maxOutputFrames(input.length));
  const count = resampler.process(input, output);
  let signal = 0;
  let noise = 0;
  for (let n = 1000; n < count - 1000; n++) {
    const expected = sweep(n / to);
    signal += expected ** 2;
    noise += (output[n]! - expected) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

function ours(from: number, to: number): Contestant {
  const resampler = new Resampler({ from, to });
  const input = Float32Array.from({ length: from / 50 }, (_, n) => Math.sin(n * n));
  const output = new Float32Array(resampler.maxOutputFrames(input.length));
  return {
    name: `longwave ${from} -> ${to}`,
    unitsPerRun: input.length / from,
    run: () => void resampler.process(input, output),
  };
}

function linear(from: number, to: number): Contestant {
  const input = Float32Array.from({ length: from / 50 }, (_, n) => Math.sin(n * n));
  const output = new Float32Array(to / 50);
  const run = () => {
    for (let n = 0; n < output.length; n++) {
      const position = (n * from) / to;
      const index = Math.floor(position);
      const low = input[index]!;
      output[n] = low + (position - index) * ((input[index + 1] ?? low) - low);
    }
  };
  return { name: `linear interpolation ${from} -> ${to}`, unitsPerRun: 1 / 50, run };
}

const measured = sideBySide([...pairs.map(([from, to]) => ours(from, to)), linear(44_100, 48_000)]);
printReport(
  "Resampler, mono",
  measured.map(({ name, microseconds, spread }, index) => {
    const pair = pairs[index];
    const snr = pair === undefined ? undefined : sweptSineSnr(pair[0], pair[1]);
    const ok = index === 0 && snr !== undefined && snr >= 100 && 1e6 / microseconds >= 300;
    return {
      conversion: name,
      "x real time": Math.round(1e6 / microseconds),
      "swept sine SNR dB": snr === undefined ? "" : snr.toFixed(1),
      "spread %": Math.round(spread * 100),
      target: index === 0 ? `>= 300 x, >= 100 dB: ${ok ? "ok" : "MISSED"}` : "",
    };
  }),
);
