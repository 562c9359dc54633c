/** The profile's integer rule: x * 32768, round half to even, saturate. */
export function toInt16(value: number): number {
  const scaled = value * 32_768;
  const floor = Math.floor(scaled);
  const fraction = scaled - floor;
  const rounded = fraction > 0.5 || (fraction === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
  return rounded > 32_767 ? 32_767 : rounded < -32_768 ? -32_768 : rounded;
}
