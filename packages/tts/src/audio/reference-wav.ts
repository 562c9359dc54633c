/** Frames that the reference's streaming header claims, whatever follows. */
const claimedFrames = 1_000_000_000;

/** Zero samples that the reference appends: 200 ms at 24 kHz. */
export const trailingSilenceFrames = 4800;

/**
 * The 44 bytes that the reference writes before streamed speech: 16-bit mono, a data size of 2,000,000,000 that is never patched.
 * For pipes, where the length is not known; files get correct sizes.
 */
export function streamingWavHeader(sampleRate: number = 24_000): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(44);
  const view = new DataView(header.buffer);
  header.set(new TextEncoder().encode("RIFF"), 0);
  view.setUint32(4, claimedFrames * 2 + 36, true);
  header.set(new TextEncoder().encode("WAVEfmt "), 8);
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  header.set(new TextEncoder().encode("data"), 36);
  view.setUint32(40, claimedFrames * 2, true);
  return header;
}

/** Samples as the reference writes them: trunc(clamp(x) * 32767), little-endian; not-a-number becomes 0. */
export function toReferenceInt16(pcm: Float32Array): Uint8Array<ArrayBuffer> {
  const samples = new Int16Array(pcm.length);
  for (let i = 0; i < pcm.length; i++) {
    samples[i] = Math.trunc(Math.fround(Math.max(-1, Math.min(1, pcm[i]!)) * 32_767));
  }
  return new Uint8Array(samples.buffer);
}
