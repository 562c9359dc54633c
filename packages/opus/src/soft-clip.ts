import { OpusCore, sharedCore } from "./core.ts";
import { OpusError } from "./errors.ts";

/** Sample frames clipped at once: what the core's PCM region holds in stereo. */
const blockFrames = 5760;

/**
 * Bends samples beyond +-1 back smoothly instead of cutting them, as the decoder does before it rounds to integers (libopus
 * `opus_pcm_soft_clip`). Works in place, in blocks of at most 120 ms at 48 kHz.
 *
 * @param pcm interleaved; samples beyond +-2 are cut to that first
 * @param channels 1 or 2
 * @param memory one value a channel, zero at the start of a stream; keeps the curve going over calls
 * @throws OpusError `opus/bad-argument`
 */
export function softClip(pcm: Float32Array, channels: number, memory: Float32Array): void {
  if ((channels !== 1 && channels !== 2) || pcm.length % channels !== 0 || memory.length < channels) {
    throw new OpusError(
      "opus/bad-argument",
      `softClip takes 1 or 2 channels, whole sample frames and one memory value a channel; got ${channels} channels, ${pcm.length} samples, ${memory.length} values.`,
    );
  }
  const core = OpusCore.instanceOf(sharedCore());
  const region = core.pcmFloatAt >> 2;
  const step = blockFrames * channels;
  for (let at = 0; at < pcm.length; at += step) {
    const samples = Math.min(step, pcm.length - at);
    for (let i = 0; i < samples; i++) core.floats[region + i] = pcm[at + i]!;
    for (let channel = 0; channel < channels; channel++) {
      memory[channel] = core.exports.softClipChannel(channel, samples / channels, channels, memory[channel]!);
    }
    for (let i = 0; i < samples; i++) pcm[at + i] = core.floats[region + i]!;
  }
}
