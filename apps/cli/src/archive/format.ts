import { type RecordingInfo, type RecordingStart, timeAxis } from "@longwave/archive";

const rateHz = 48_000;

/** `1:02:03.5` of sample frames at 48 kHz. */
export function lengthText(frames: number): string {
  const seconds = frames / rateHz;
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const clock = parts.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
  return `${clock}.${String(Math.floor((seconds - whole) * 1000)).padStart(3, "0")}`;
}

/** When it begins, ISO 8601, as far as that is known. */
export function startOf(info: RecordingInfo): string | undefined {
  const ns = timeAxis(info).timeOf(0);
  return ns === undefined ? undefined : new Date(Number(ns / 1_000_000n)).toISOString();
}

/** The same for people. */
export function startText(info: RecordingInfo): string {
  return startOf(info) ?? "-";
}

const sourceTexts: Readonly<Record<RecordingStart["source"], string>> = {
  user: "as told",
  clock: "by the recording program's clock",
  guano: "by GUANO",
  audiomoth: "by AudioMoth",
  bext: "by BEXT",
  filename: "by the file's name",
};

/** Who told the start, for people: `by the file's name, zone unknown: taken as UTC`. */
export function startSourceText({ source, zoneAssumed, utcOffsetMinutes }: RecordingStart): string {
  const zone = utcOffsetMinutes === undefined ? "" : `, UTC${offsetText(utcOffsetMinutes)}`;
  return `${sourceTexts[source]}${zoneAssumed ? ", zone unknown: taken as UTC" : zone}`;
}

/** `+02:00` of minutes. */
function offsetText(minutes: number): string {
  const size = Math.abs(minutes);
  const parts = [Math.floor(size / 60), size % 60].map((part) => String(part).padStart(2, "0"));
  return `${minutes < 0 ? "-" : "+"}${parts.join(":")}`;
}

/** Share of all bytes that are not the recording's own packets, in percent of these. */
export function indexShare(info: RecordingInfo): number {
  return info.counts.packetBytes === 0 ? 0 : (100 * info.counts.indexBytes) / info.counts.packetBytes;
}

/** Mean rate of the packets. */
export function bitrateBps(info: RecordingInfo): number {
  return info.frames === 0 ? 0 : Math.round((info.counts.packetBytes * 8 * rateHz) / info.frames);
}
