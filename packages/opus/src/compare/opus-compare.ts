import type { SampleRate } from "../decoder-options.ts";
import { OpusError } from "../errors.ts";
import { cosSinTurn, naturalLog, PairTransform } from "./spectrum.ts";

/** What `opusCompare` found. */
export interface OpusComparison {
  /** 100 = equal, 0 = just acceptable, below = a different sound. */
  readonly quality: number;
  /** Internal weighted error: 0 = equal. */
  readonly error: number;
  /** quality >= 0: the decoder passes. */
  readonly passed: boolean;
}

export interface OpusCompareOptions {
  /** Rate of the decode under test in Hz; the reference is always at 48 kHz. Default 48000. */
  readonly sampleRate?: SampleRate;
  /** Channels of the decode under test; the reference is always stereo, a mono decode is held against its mean. Default 2. */
  readonly channels?: 1 | 2;
}

const windowSize = 480;
const step = 120;
/** Edges of the bands in bins of 100 Hz. */
const bandEdges = [0, 2, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 68, 80, 96, 120, 156, 200];
const bandCount = 21;
const bandsAtRate: Readonly<Record<SampleRate, number>> = {
  8000: 13,
  12000: 15,
  16000: 17,
  24000: 19,
  48000: 21,
};
const referenceBins = 200;
const noisePower = 100_000;

/**
 * The quality metric of the standard's conformance test (RFC 6716 section 6.1, RFC 8251): compares short-time spectra
 * under a masking model. Meant for two decodes of one stream; it says nothing about codec quality.
 *
 * @param reference interleaved stereo at 48 kHz
 * @param decoded interleaved, at the rate and with the channels of the options; as long as the reference
 * @throws OpusError `opus/bad-argument` where the lengths do not fit
 */
export function opusCompare(
  reference: Int16Array,
  decoded: Int16Array,
  options: OpusCompareOptions = {},
): OpusComparison {
  const sampleRate = options.sampleRate ?? 48000;
  const channels = options.channels ?? 2;
  const downsample = 48000 / sampleRate;
  const frames48k = reference.length / 2;
  if (frames48k < windowSize || frames48k !== (decoded.length / channels) * downsample) {
    throw new OpusError(
      "opus/bad-argument",
      `A reference of ${frames48k} frames at 48 kHz and a decode of ${decoded.length / channels} at ${sampleRate} Hz cannot be compared; they must last equally long, at least 10 ms.`,
    );
  }
  const bands = bandsAtRate[sampleRate];
  const lastEdge = bandEdges[bands]!;
  // Below 48 kHz the last 300 Hz belong to the transition band; at 12 kHz the bands end early enough.
  const comparedBins = sampleRate === 48000 || sampleRate === 12000 ? lastEdge : lastEdge - 3;
  const x = new SpectrumReader(reference, 2, windowSize, step, 1, channels === 1);
  const y = new SpectrumReader(
    decoded,
    channels,
    windowSize / downsample,
    step / downsample,
    downsample,
    false,
  );
  const count = Math.floor((frames48k - windowSize + step) / step);

  const mask = new Float64Array(bandCount * 2);
  const previousMask = new Float64Array(bandCount * 2);
  const powersX = new Float64Array(referenceBins * 2);
  const powersY = new Float64Array(referenceBins * 2);
  const previousX = new Float64Array(referenceBins * 2);
  const previousY = new Float64Array(referenceBins * 2);
  let total = 0;
  for (let frame = 0; frame < count; frame++) {
    x.read(frame, referenceBins, powersX);
    y.read(frame, lastEdge, powersY);
    computeMask(powersX, mask, previousMask, channels, frame > 0);
    let frameError = 0;
    for (let band = 0; band < bands; band++) {
      let bandError = 0;
      const end = bandEdges[band + 1]!;
      for (let bin = bandEdges[band]!; bin < end; bin++) {
        for (let channel = 0; channel < channels; channel++) {
          const at = 2 * bin + channel;
          const masking = 0.1 * mask[2 * band + channel]!;
          const px = powersX[at]! + masking;
          const py = powersY[at]! + masking;
          // Two frames together make the comparison less sensitive to where the windows fall.
          const ratio = (py + previousY[at]!) / (px + previousX[at]!);
          previousX[at] = px;
          previousY[at] = py;
          if (bin >= comparedBins) continue;
          let difference = ratio - naturalLog(ratio) - 1;
          // Freedom of the filters where SILK and CELT meet.
          if (bin >= 79 && bin <= 81) difference *= bin === 80 ? 0.01 : 0.1;
          bandError += difference;
        }
      }
      bandError /= (end - bandEdges[band]!) * channels;
      frameError += bandError * bandError;
    }
    const mean = frameError / bandCount;
    total += mean ** 4;
  }
  let error = total / count;
  for (let i = 0; i < 4; i++) error = Math.sqrt(error);
  const quality = 100 * (1 - (0.5 * naturalLog(1 + error)) / naturalLog(1.13));
  return { quality, error, passed: quality >= 0 };
}

/** Masking per band and channel: neighbours in frequency, the frame before, the other channel. */
function computeMask(
  powers: Float64Array,
  mask: Float64Array,
  previous: Float64Array,
  channels: number,
  hasPrevious: boolean,
): void {
  for (let channel = 0; channel < channels; channel++) {
    for (let band = 0; band < bandCount; band++) {
      let sum = 0;
      for (let bin = bandEdges[band]!; bin < bandEdges[band + 1]!; bin++) sum += powers[2 * bin + channel]!;
      mask[2 * band + channel] = sum / (bandEdges[band + 1]! - bandEdges[band]!);
    }
    // 10 dB per Bark upward, 15 dB downward.
    for (let band = 1; band < bandCount; band++) {
      mask[2 * band + channel]! += 0.1 * mask[2 * (band - 1) + channel]!;
    }
    for (let band = bandCount - 2; band >= 0; band--) {
      mask[2 * band + channel]! += 0.03 * mask[2 * (band + 1) + channel]!;
    }
    // 3 dB per 2.5 ms in time.
    if (hasPrevious) {
      for (let band = 0; band < bandCount; band++) {
        mask[2 * band + channel]! += 0.5 * previous[2 * band + channel]!;
      }
    }
  }
  if (channels === 2) {
    for (let band = 0; band < bandCount; band++) {
      const left = mask[2 * band]!;
      const right = mask[2 * band + 1]!;
      mask[2 * band] = left + 0.01 * right;
      mask[2 * band + 1] = right + 0.01 * left;
    }
  }
  previous.set(mask);
}

/** Power spectra of a signal, window by window. */
class SpectrumReader {
  readonly #pcm: Int16Array;
  readonly #channels: number;
  readonly #step: number;
  readonly #gain: number;
  readonly #toMono: boolean;
  readonly #window: Float64Array;
  readonly #transform: PairTransform;
  readonly #first: Float64Array;
  readonly #second: Float64Array;

  constructor(
    pcm: Int16Array,
    channels: number,
    size: number,
    step: number,
    downsample: number,
    toMono: boolean,
  ) {
    this.#pcm = pcm;
    this.#channels = channels;
    this.#step = step;
    this.#gain = downsample * downsample;
    this.#toMono = toMono;
    this.#transform = new PairTransform(size);
    this.#window = hann(size);
    this.#first = new Float64Array(size);
    this.#second = new Float64Array(size);
  }

  /** Powers plus a noise floor, [bin][channel]. */
  read(frame: number, bins: number, powers: Float64Array): void {
    const pcm = this.#pcm;
    const stride = this.#channels;
    let at = frame * this.#step * stride;
    for (let i = 0; i < this.#window.length; i++) {
      const w = this.#window[i]!;
      const left = pcm[at]!;
      const right = stride === 2 ? pcm[at + 1]! : 0;
      this.#first[i] = w * (this.#toMono ? 0.5 * (left + right) : left);
      this.#second[i] = this.#toMono ? 0 : w * right;
      at += stride;
    }
    this.#transform.powers(this.#first, this.#second, bins, powers);
    for (let i = 0; i < 2 * bins; i++) powers[i] = powers[i]! * this.#gain + noisePower;
  }
}

/** Hann window with the divisor of the standard's tool, size - 1. */
function hann(size: number): Float64Array {
  const window = new Float64Array(size);
  for (let i = 0; i < size; i++) window[i] = 0.5 - 0.5 * cosSinTurn(i % (size - 1), size - 1)[0];
  return window;
}
