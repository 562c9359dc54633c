/** `3:07`, or `1:02:03` from an hour on. */
export function clock(milliseconds: number): string {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor(total / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(total % 60)}` : `${minutes}:${two(total % 60)}`;
}

/** A length: `320 ms`, `15.3 s`, from a minute on `3:07`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  return milliseconds < 59_950 ? `${(milliseconds / 1000).toFixed(1)} s` : clock(milliseconds);
}

/** A frequency with its unit. */
export function hertz(value: number): string {
  return value >= 1000
    ? `${(value / 1000).toFixed(value % 1000 === 0 || value >= 10_000 ? 0 : 1)} kHz`
    : `${Math.round(value)} Hz`;
}

/** A chance in words: "1 in 12,000". */
export function chance(probability: number): string {
  if (probability < 1e-12) return "< 1 in 10¹²";
  if (probability < 1e-6) return `1 in 10${superscript(Math.floor(-Math.log10(probability)))}`;
  return `1 in ${Math.round(1 / probability).toLocaleString("en")}`;
}

function superscript(value: number): string {
  return [...String(value)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("");
}

export function thousands(value: number): string {
  return value.toLocaleString("en");
}

/** `31 Jan, 12:30:05`, in the reader's language and zone; as stations do, without AM and PM. */
export function dateTime(unixMs: number): string {
  return new Date(unixMs).toLocaleString([], {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  });
}

/** `12.3 MB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1e6) return `${Math.round(bytes / 1000)} KB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** Says that a file is larger than its taker takes. */
export function tooLarge(
  { name, size }: { name: string; size: number },
  most: number,
  taker: string,
): string {
  return `${name} has ${bytesText(size)}; ${taker} takes ${bytesText(most)}. Cut a minute out of it.`;
}

/** `−12 dB`, with a minus sign. */
export function decibels(value: number): string {
  return `${value < 0 ? "−" : ""}${Math.abs(value)} dB`;
}
