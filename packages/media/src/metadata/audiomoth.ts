/** What an AudioMoth recorder writes into its comment (ICMT). */
export interface AudioMothComment {
  /** Start of the recording in milliseconds since the Unix epoch, by the recorder's clock and its stated zone. */
  readonly startUnixMs: number;
  /** Minutes that the stated zone is ahead of UTC; 0 for UTC. Firmware before 1.1 states none and meant UTC. */
  readonly utcOffsetMinutes: number;
  /** 16 hexadecimal digits. */
  readonly deviceId: string | undefined;
  /** "low", "low-medium", "medium", "medium-high", "high", or a number in older firmware. */
  readonly gain: string | undefined;
  /** undefined where the comment only bounds it ("less than 2.5V", "greater than 4.9V"). */
  readonly batteryV: number | undefined;
  readonly temperatureC: number | undefined;
}

const pattern =
  /Recorded at (\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,3}))? (\d{2})\/(\d{2})\/(\d{4})(?: \(UTC(?:([+-])(\d{1,2})(?::(\d{2}))?)?\))?/;

/** Reads an AudioMoth comment; undefined where it is none or its date does not exist. */
export function parseAudioMothComment(comment: string): AudioMothComment | undefined {
  const match = pattern.exec(comment);
  if (match === null || !comment.includes("AudioMoth")) return undefined;
  const [hour, minute, second] = match.slice(1, 4).map(Number) as [number, number, number];
  const [day, month, year] = match.slice(5, 8).map(Number) as [number, number, number];
  const milliseconds = Number((match[4] ?? "0").padEnd(3, "0"));
  const local = Date.UTC(year, month - 1, day, hour, minute, second, milliseconds);
  const date = new Date(local);
  if (date.getUTCDate() !== day || date.getUTCMonth() !== month - 1 || hour > 23 || minute > 59)
    return undefined;
  const sign = match[8] === "-" ? -1 : 1;
  const utcOffsetMinutes = sign * (Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0)) || 0;
  const number = (expression: RegExp): number | undefined => {
    const found = expression.exec(comment)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  return {
    startUnixMs: local - utcOffsetMinutes * 60_000,
    utcOffsetMinutes,
    deviceId: /AudioMoth ([0-9A-F]{16})/.exec(comment)?.[1],
    gain: /at ([a-z-]+|\d) gain/.exec(comment)?.[1] ?? /gain setting (\d)/.exec(comment)?.[1],
    batteryV: number(/battery (?:state|voltage) was (\d+(?:\.\d+)?)V/),
    temperatureC: number(/temperature was (-?\d+(?:\.\d+)?)C/),
  };
}
