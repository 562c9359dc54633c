/** A time of day as a file name tells it. */
export interface FileNameTime {
  /** Nanoseconds since the Unix epoch; without a zone in the name the clock's face read as UTC. */
  readonly unixNs: bigint;
  /** Minutes ahead of UTC; undefined where the name tells no zone. */
  readonly utcOffsetMinutes: number | undefined;
}

/**
 * `20240501_053000` (AudioMoth), `SITE_20240501_053000`, `SITE_0+1_20240501$053000_000` (Song Meter, Kaleidoscope),
 * `20240501T053000+1000_REC` (with a zone). Digits in front or behind make it another number.
 */
const dateAndClock =
  /(?<!\d)(\d{4})(\d\d)(\d\d)[T_$-](\d\d)(\d\d)(\d\d)(?!\d)(?:(Z)(?![A-Za-z\d])|([+-])(\d\d)(\d\d)(?!\d))?/i;
/** The whole name in AudioMoth firmware before 1.2: seconds since the Unix epoch, eight hexadecimal digits. */
const hexSeconds = /^(?=\d*[A-F])[0-9A-F]{8}$/;
/** AudioMoth began in 2017; the end is that of signed 32-bit time. */
const hexRange = [0x5800_0000, 0x7fff_ffff] as const;

/** The time in a file's name, as recorders write it; undefined where there is none, or none that exists. */
export function fileNameTime(name: string): FileNameTime | undefined {
  const stem = name.replace(/^.*[/\\]/, "").replace(/\.[A-Za-z]\w{0,4}$/, "");
  if (hexSeconds.test(stem)) {
    const seconds = Number.parseInt(stem, 16);
    if (seconds < hexRange[0] || seconds > hexRange[1]) return undefined;
    return { unixNs: BigInt(seconds) * 1_000_000_000n, utcOffsetMinutes: 0 };
  }
  const match = dateAndClock.exec(stem);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(ms);
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!exists || year < 1990 || hour > 23 || minute > 59 || second > 59) return undefined;
  const [zulu, sign, zoneHours, zoneMinutes] = match.slice(7);
  const offset = (sign === "-" ? -1 : 1) * (Number(zoneHours) * 60 + Number(zoneMinutes));
  // "-1830" behind a time is another number (its end, a counter) where no zone has that offset.
  const isZone = sign !== undefined && Math.abs(offset) <= 14 * 60 && Number(zoneMinutes) % 15 === 0;
  const utcOffsetMinutes = zulu !== undefined ? 0 : isZone ? offset || 0 : undefined;
  return { unixNs: BigInt(ms - (utcOffsetMinutes ?? 0) * 60_000) * 1_000_000n, utcOffsetMinutes };
}
