// From a window of samples to powers.

import { realFftForward } from "../../kernels/assembly/real-fft";
import {
  inputAddress,
  plan1024,
  plan2048,
  rowAddress,
  spectrumIm,
  spectrumRe,
  window1024,
  window2048,
  windowed,
  work,
} from "./layout";

/** |X|² of the windowed input, size / 2 + 1 values at `rowAddress`; size is 1024 or 2048. */
export function powerSpectrum(size: i32): void {
  const input = inputAddress();
  const output = windowed();
  const window = size == 1024 ? window1024() : window2048();
  for (let at: usize = 0; at < usize(size) << 2; at += 16) {
    v128.store(output + at, f32x4.mul(v128.load(input + at), v128.load(window + at)));
  }
  const re = spectrumRe();
  const im = spectrumIm();
  realFftForward(size == 1024 ? plan1024() : plan2048(), output, re, im, work());
  const row = rowAddress();
  for (let at: usize = 0; at <= usize(size) << 1; at += 16) {
    const x = v128.load(re + at);
    const y = v128.load(im + at);
    v128.store(row + at, f32x4.add(f32x4.mul(x, x), f32x4.mul(y, y)));
  }
}
