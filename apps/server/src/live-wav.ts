/**
 * The header of a WAV file whose end is not known yet: 16-bit PCM, both lengths 0xFFFFFFFF, which players take as "until it
 * stops".
 */
export function liveWavHeader(rateHz: number, channels: number): Uint8Array {
  const bytes = new Uint8Array(44);
  const view = new DataView(bytes.buffer);
  const word = (at: number, value: string) => bytes.set(new TextEncoder().encode(value), at);
  word(0, "RIFF");
  view.setUint32(4, 0xffffffff, true);
  word(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rateHz, true);
  view.setUint32(28, rateHz * channels * 2, true);
  view.setUint16(32, channels * 2, true);
  view.setUint16(34, 16, true);
  word(36, "data");
  view.setUint32(40, 0xffffffff, true);
  return bytes;
}
