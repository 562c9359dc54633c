// How wide the stereo image is, from the correlation and the levels of the channels.
import { EPSILON } from "../tables/celt";
import { OpusEncoderState } from "./encoder-state";

const ONE: f32 = 1.0;

/** Width 0..1 of interleaved stereo, smoothed over a second with a slow release. */
export function measureStereoWidth(state: OpusEncoderState, pcm: usize, frames: i32): f32 {
  const frameRate = state.sampleRate / frames;
  const alpha: f32 = (<f32>25.0 * ONE) / <f32>max<i32>(50, frameRate);
  let xx: f32 = 0.0;
  let xy: f32 = 0.0;
  let yy: f32 = 0.0;
  // Sums of four, as the reference groups them; 2.5 ms at 12 kHz lose two frames.
  for (let i = 0; i < frames - 3; i += 4) {
    const at = pcm + (<usize>i << 3);
    let pxx: f32 = 0.0;
    let pxy: f32 = 0.0;
    let pyy: f32 = 0.0;
    for (let j: usize = 0; j < 32; j += 8) {
      const x = load<f32>(at + j);
      const y = load<f32>(at + j, 4);
      if (j == 0) {
        pxx = x * x;
        pxy = x * y;
        pyy = y * y;
      } else {
        pxx += x * x;
        pxy += x * y;
        pyy += y * y;
      }
    }
    xx += pxx;
    xy += pxy;
    yy += pyy;
  }
  if (!(xx < 1e9) || !(yy < 1e9)) {
    xx = 0.0;
    xy = 0.0;
    yy = 0.0;
  }
  state.widthXX += alpha * (xx - state.widthXX);
  state.widthXY = (ONE - alpha) * state.widthXY + alpha * xy;
  state.widthYY += alpha * (yy - state.widthYY);
  state.widthXX = max<f32>(0.0, state.widthXX);
  state.widthXY = max<f32>(0.0, state.widthXY);
  state.widthYY = max<f32>(0.0, state.widthYY);
  if (max<f32>(state.widthXX, state.widthYY) > <f32>8e-4) {
    const rootX = sqrt<f32>(state.widthXX);
    const rootY = sqrt<f32>(state.widthYY);
    const quarterX = sqrt<f32>(rootX);
    const quarterY = sqrt<f32>(rootY);
    state.widthXY = min<f32>(state.widthXY, rootX * rootY);
    const correlation: f32 = state.widthXY / (EPSILON + rootX * rootY);
    const loudness: f32 = (ONE * abs<f32>(quarterX - quarterY)) / (EPSILON + quarterX + quarterY);
    const width: f32 = min<f32>(ONE, sqrt<f32>(ONE - correlation * correlation)) * loudness;
    state.widthSmoothed += (width - state.widthSmoothed) / <f32>frameRate;
    state.widthFollower = max<f32>(
      state.widthFollower - <f32>0.02 / <f32>frameRate,
      state.widthSmoothed,
    );
  }
  return min<f32>(ONE, <f32>20.0 * state.widthFollower);
}
