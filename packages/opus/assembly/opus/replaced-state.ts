// What the next packet replaces of a state in SILK: output that it does not reach back to (every 20 ms of output push 20 ms out),
// and the resampler's filters, which forget what went in long before 20 ms are over. A state without these is half as
// large, and behind that packet it is the same; only the packet's own output differs.
import { RESAMPLER_BYTES, RESAMPLER_IIR } from "../silk/resampler-state";
import { HISTORY_REACH } from "../silk/scratch";
import { channelOf, EXCITATION_Q14, LPC_STATE_Q14, OUT_BUFFER, RESAMPLER } from "../silk/state";
import { MODE_SILK, OpusState, silkOf } from "./state";

/** Samples at SILK's rate in front of the packet decoded last that it referred to; 0 where it used no long-term prediction. */
export function lastReach(): i32 {
  return load<i32>(HISTORY_REACH);
}

/** Clears that part of a state whose next packet reaches back over `reach` samples; nothing where the last frame was not SILK's alone. */
export function forgetReplacedState(state: OpusState, reach: i32): void {
  if (state.previousMode != MODE_SILK) return;
  const silk = silkOf(state);
  for (let n = 0; n < silk.internalChannels; n++) {
    const channel = channelOf(silk, n);
    const base = changetype<usize>(channel);
    const kept = min<i32>(max<i32>(reach, 0), channel.ltpMemory);
    memory.fill(base + OUT_BUFFER, 0, <usize>(channel.ltpMemory - kept) << 1);
    memory.fill(base + EXCITATION_Q14, 0, LPC_STATE_Q14 - EXCITATION_Q14);
    memory.fill(base + RESAMPLER + RESAMPLER_IIR, 0, RESAMPLER_BYTES - RESAMPLER_IIR);
  }
}
