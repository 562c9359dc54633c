// Constant-Q: ours, streaming, beside the definition's sums in the time domain in plain JavaScript (one windowed sum a bin
// and frame): what the spectral kernels and halved rates spare.
import { SeededRandom } from "@longwave/base";
import { ConstantQ } from "@longwave/dsp";
import { printReport, sideBySide } from "../side-by-side.js";

const sampleRate = 22_050;
const hop = 512;
const seconds = 4;
const random = new SeededRandom(9);
const samples = Float32Array.from({ length: sampleRate * seconds }, () => random.next() * 2 - 1);
const cq = new ConstantQ({ sampleRate, hop });
const magnitudes = new Float32Array(cq.frameCount(samples.length) * cq.bins);

interface Tone {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

const q = 1 / (2 ** (1 / 36) - 1);
const tones = Array.from({ length: cq.bins }, (_, bin): Tone => {
  const turns = cq.frequencyOf(bin) / sampleRate;
  const length = Math.round(q / turns);
  const window = Float64Array.from(
    { length },
    (_, n) => 0.5 + 0.5 * Math.cos((2 * Math.PI * (n - length / 2)) / length),
  );
  const scale = 2 / window.reduce((sum, value) => sum + value, 0);
  return {
    re: window.map((value, n) => scale * value * Math.cos(2 * Math.PI * turns * (n - length / 2))),
    im: window.map((value, n) => scale * value * Math.sin(2 * Math.PI * turns * (n - length / 2))),
  };
});

/** Only the frames in the middle of every second: the definition is slow. */
const plainFrames = Array.from({ length: seconds }, (_, second) =>
  Math.round(((second + 0.5) * sampleRate) / hop),
);
const plainOutput = new Float64Array(cq.bins);
function plain(): void {
  for (const frame of plainFrames) {
    for (const [bin, { re, im }] of tones.entries()) {
      const start = frame * hop - Math.floor(re.length / 2);
      let x = 0;
      let y = 0;
      for (let n = 0; n < re.length; n++) {
        const value = samples[start + n] ?? 0;
        x += value * re[n]!;
        y -= value * im[n]!;
      }
      plainOutput[bin] = Math.sqrt(x * x + y * y);
    }
  }
}

const measured = sideBySide([
  {
    name: "longwave",
    run: () => void cq.analyze(samples, magnitudes),
    unitsPerRun: magnitudes.length / cq.bins,
  },
  { name: "plain JavaScript, by the definition", run: plain, unitsPerRun: plainFrames.length },
]);
printReport(
  `Constant-Q, ${cq.bins} bins, hop ${hop} at ${sampleRate} Hz`,
  measured.map(({ name, microseconds, spread }) => ({
    system: name,
    "CPU us a frame": microseconds.toFixed(1),
    "x plain speed": (measured[1]!.microseconds / microseconds).toFixed(1),
    "x real time": Math.round((hop / sampleRate) * (1e6 / microseconds)),
    "spread %": Math.round(spread * 100),
  })),
);
