// STFT (1024/256) with 80 log-mel bands: ours beside the same in plain JavaScript (fft.js for the transform, sparse
// triangles, Math.log10), whose results it must meet within 1e-5.
import { SeededRandom } from "@longwave/base";
import { hzToMel, LogMel, melToHz } from "@longwave/dsp";
import { printReport, sideBySide } from "../side-by-side.js";

const rate = 16_000;
const size = 1024;
const hop = 256;
const bands = 80;
const random = new SeededRandom(3);
const samples = Float32Array.from({ length: rate * 4 }, () => random.next() * 2 - 1);
const frames = 1 + Math.floor((samples.length - size) / hop);

const { default: FftJs } = (await import("fft.js" as string)) as {
  default: new (
    size: number,
  ) => {
    createComplexArray(): number[];
    realTransform(out: number[], data: Float64Array): void;
  };
};
const fft = new FftJs(size);
const spectrum = fft.createComplexArray();
const window = Float64Array.from({ length: size }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / size));
const windowed = new Float64Array(size);
const power = new Float64Array(size / 2 + 1);
const border = Array.from({ length: bands + 2 }, (_, i) => melToHz((i * hzToMel(rate / 2)) / (bands + 1)));
const triangles = Array.from({ length: bands }, (_, band) => {
  const [left, centre, right] = [border[band]!, border[band + 1]!, border[band + 2]!];
  const hz = (bin: number) => (bin * rate) / size;
  const all = Array.from({ length: power.length }, (_, bin) =>
    Math.max(
      0,
      (2 / (right - left)) *
        Math.min((hz(bin) - left) / (centre - left), (right - hz(bin)) / (right - centre)),
    ),
  );
  const first = all.findIndex((weight) => weight > 0);
  const last = all.findLastIndex((weight) => weight > 0);
  return { first, weights: Float64Array.from(first < 0 ? [] : all.slice(first, last + 1)) };
});
const plainOutput = new Float64Array(frames * bands);
const ourOutput = new Float32Array(frames * bands);

function plain(): void {
  for (let frame = 0; frame < frames; frame++) {
    const start = frame * hop;
    for (let n = 0; n < size; n++) windowed[n] = window[n]! * samples[start + n]!;
    fft.realTransform(spectrum, windowed);
    for (let k = 0; k < power.length; k++) {
      const re = spectrum[2 * k]!;
      const im = spectrum[2 * k + 1]!;
      power[k] = re * re + im * im;
    }
    for (let band = 0; band < bands; band++) {
      const { first, weights } = triangles[band]!;
      let sum = 1e-10;
      for (let i = 0; i < weights.length; i++) sum += weights[i]! * power[first + i]!;
      plainOutput[frame * bands + band] = Math.log10(sum);
    }
  }
}

const logMel = new LogMel({ sampleRate: rate, frameSize: size, hop, bands });
const keep = (values: Float32Array, frame: number) => ourOutput.set(values, frame * bands);
function ours(): void {
  logMel.reset();
  logMel.push(samples, keep);
}

plain();
ours();
let worst = 0;
for (let i = 0; i < ourOutput.length; i++) worst = Math.max(worst, Math.abs(ourOutput[i]! - plainOutput[i]!));
const measured = sideBySide([
  { name: "longwave", run: ours, unitsPerRun: frames },
  { name: "plain JavaScript (fft.js)", run: plain, unitsPerRun: frames },
]);
printReport(
  `STFT 1024/256 + log-mel 80; largest difference ${worst.toExponential(1)}`,
  measured.map(({ name, microseconds, spread }) => ({
    system: name,
    "CPU us a frame": microseconds.toFixed(2),
    "x plain speed": (measured[1]!.microseconds / microseconds).toFixed(1),
    "x real time": Math.round((hop / rate) * (1e6 / microseconds)),
    "spread %": Math.round(spread * 100),
    target:
      name === "longwave"
        ? `>= 4 x plain: ${measured[1]!.microseconds / microseconds >= 4 ? "ok" : "MISSED"}; within 1e-5: ${worst < 1e-5 ? "ok" : "MISSED"}`
        : "",
  })),
);
if (!(worst < 1e-5)) {
  console.error("The results differ by more than 1e-5.");
  process.exit(1);
}
