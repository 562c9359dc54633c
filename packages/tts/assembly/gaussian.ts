import { cosine, logarithm, sine } from "../../kernels/assembly/elementary";

/**
 * Turns 16 uniforms in [0, 1) into 16 normals in place, as torch's CPU generator does for a block: value j and j + 8 are the
 * Box-Muller pair of (1 - u[j], u[j + 8]), every step rounded to single precision.
 */
export function gaussianBlock(x: usize, sigma: f32): void {
  for (let j: usize = 0; j < 32; j += 4) {
    const u1 = f32(1.0) - load<f32>(x + j);
    const u2 = load<f32>(x + j, 32);
    const radius = sqrt(f32(-2.0) * f32(logarithm(f64(u1))));
    const theta = f64(f32(6.283185307179586 * f64(u2)));
    store<f32>(x + j, radius * f32(cosine(theta)) * sigma);
    store<f32>(x + j, radius * f32(sine(theta)) * sigma, 32);
  }
}
