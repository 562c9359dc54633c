// FFT beside npm fft.js (plain JavaScript) and @echogarden/pffft-wasm (C with SIMD, ordered output). Each transforms data
// that lies in its own arrays already; the rows "with copies" are ours including the copies from and to the caller's.
import { SeededRandom } from "@longwave/base";
import { ComplexFft, RealFft } from "@longwave/dsp";
import { type Contestant, printReport, sideBySide } from "../side-by-side.js";

interface FftJs {
  createComplexArray(): number[];
  realTransform(out: number[], data: number[]): void;
  transform(out: number[], data: number[]): void;
}
interface Pffft {
  _pffft_new_setup(size: number, kind: number): number;
  _pffft_aligned_malloc(bytes: number): number;
  _pffft_transform_ordered(setup: number, from: number, to: number, work: number, direction: number): void;
}

const { default: FftJsClass } = (await import("fft.js" as string)) as {
  default: new (size: number) => FftJs;
};
const { default: loadPffft } = (await import("@echogarden/pffft-wasm/simd" as string)) as {
  default: () => Promise<Pffft>;
};
const pffft = await loadPffft();
const random = new SeededRandom(7);
const noise = (length: number) => Float32Array.from({ length }, () => random.next() * 2 - 1);

function pffftContestant(kind: "real" | "complex", size: number): Contestant {
  const setup = pffft._pffft_new_setup(size, kind === "real" ? 0 : 1);
  const bytes = 8 * size;
  const [from, to, work] = [0, 1, 2].map(() => pffft._pffft_aligned_malloc(bytes)) as [
    number,
    number,
    number,
  ];
  return {
    name: `pffft ${kind} ${size}`,
    run: () => pffft._pffft_transform_ordered(setup, from, to, work, 0),
  };
}

function fftJsContestant(kind: "real" | "complex", size: number): Contestant {
  const fft = new FftJsClass(size);
  const out = fft.createComplexArray();
  const data = Array.from(noise(kind === "real" ? size : 2 * size));
  const run = kind === "real" ? () => fft.realTransform(out, data) : () => fft.transform(out, data);
  return { name: `fft.js ${kind} ${size}`, run };
}

function oursReal(size: number): Contestant[] {
  const fft = new RealFft(size);
  const samples = noise(size);
  fft.input.set(samples);
  const re = new Float32Array(fft.bins);
  const im = new Float32Array(fft.bins);
  return [
    { name: `longwave real ${size}`, run: () => fft.transform() },
    { name: `longwave real ${size}, with copies`, run: () => fft.forward(samples, re, im) },
  ];
}

function oursComplex(size: number): Contestant {
  const fft = new ComplexFft(size);
  fft.inputRe.set(noise(size));
  fft.inputIm.set(noise(size));
  return { name: `longwave complex ${size}`, run: () => fft.transform() };
}

// Many short rounds: other work on the machine then hits all alike.
const measured = sideBySide(
  [
    ...[1024, 2048].flatMap((size) => [
      ...oursReal(size),
      fftJsContestant("real", size),
      pffftContestant("real", size),
    ]),
    oursComplex(480),
    pffftContestant("complex", 480),
    ...[512, 960, 1024].map(oursComplex),
    ...[512, 960, 1024].map((size) => pffftContestant("complex", size)),
  ],
  { rounds: 31, millisecondsPerRound: 20 },
);
/** The targets of a row, and whether they are met. */
function verdict(name: string, microseconds: number): string {
  const wanted: [what: string, ratio: number, ok: boolean][] = [];
  const over = (peer: string) => timeOf(peer) / microseconds;
  if (/^longwave real (1024|2048)/.test(name)) {
    const size = /\d+/.exec(name)![0];
    const [speed, time] = [over(`fft.js real ${size}`), 1 / over(`pffft real ${size}`)];
    wanted.push([">= 5 x fft.js", speed, speed >= 5], ["<= 1.25 x pffft", time, time <= 1.25]);
  }
  if (name === "longwave complex 480") {
    const time = 1 / over("pffft real 1024");
    wanted.push(["<= 1.4 x pffft real 1024", time, time <= 1.4]);
  }
  return wanted.map(([what, ratio, ok]) => `${what}: ${ratio.toFixed(2)} ${ok ? "ok" : "MISSED"}`).join("; ");
}

const timeOf = (name: string) => measured.find((each) => each.name === name)?.microseconds ?? Number.NaN;
printReport(
  "FFT, one transform",
  measured.map(({ name, microseconds, spread }) => {
    const size = /\d+/.exec(name)![0];
    const kind = name.includes("real") ? "real" : "complex";
    const peer = timeOf(`fft.js ${kind} ${size}`);
    return {
      transform: name,
      "CPU us": microseconds.toFixed(3),
      "x fft.js speed": Number.isNaN(peer) ? "" : (peer / microseconds).toFixed(1),
      "x pffft time": (microseconds / timeOf(`pffft ${kind} ${size}`)).toFixed(2),
      "x pffft real 1024 time": (microseconds / timeOf("pffft real 1024")).toFixed(2),
      "spread %": Math.round(spread * 100),
      target: verdict(name, microseconds),
    };
  }),
);
