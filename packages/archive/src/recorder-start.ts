import type { RecorderMetadata } from "@longwave/media";
import { fileNameTime } from "./file-name-time.ts";
import type { RecordingStart } from "./recording-info.ts";

/** When a recorder says that a recording began. */
export interface RecorderStart extends RecordingStart {
  readonly unixNs: bigint;
}

/** What else tells when a recording began. */
export interface StartHints {
  /** The file's name; a time in it counts where the metadata have none. */
  readonly fileName?: string;
  /** Minutes that clocks which tell no zone were ahead of UTC, -1,080 to 1,080; default 0, and `zoneAssumed` says so. */
  readonly utcOffsetMinutes?: number | undefined;
}

/**
 * The start of a recording: by GUANO, else AudioMoth, else BEXT, else the file's name, else the name that it had when it was made (GUANO
 * `Original Filename`). The time at which a file was changed is none of them: copying changes it.
 */
export function recorderStart(
  metadata: Partial<RecorderMetadata>,
  sampleRateHz: number,
  hints: StartHints = {},
): RecorderStart | undefined {
  const told = hints.utcOffsetMinutes;
  const start = (
    source: RecordingStart["source"],
    unixNs: bigint,
    zone: number | undefined,
  ): RecorderStart => {
    const utcOffsetMinutes = zone ?? told;
    if (utcOffsetMinutes === undefined) return { unixNs, source, zoneAssumed: true };
    const shift = zone === undefined ? BigInt(utcOffsetMinutes) * 60_000_000_000n : 0n;
    return { unixNs: unixNs - shift, source, zoneAssumed: false, utcOffsetMinutes };
  };
  const { guano, audioMoth, bext } = metadata;
  const stamp = guano?.timestamp && parseIso(guano.timestamp);
  if (stamp) return start("guano", stamp.unixNs, stamp.utcOffsetMinutes);
  if (audioMoth !== undefined)
    return start("audiomoth", BigInt(audioMoth.startUnixMs) * 1_000_000n, audioMoth.utcOffsetMinutes);
  const clock = bext && bextTime(bext, sampleRateHz);
  if (clock !== undefined) return start("bext", clock, undefined);
  for (const name of [hints.fileName, guano?.originalFilename]) {
    const found = name === undefined ? undefined : fileNameTime(name);
    if (found !== undefined) return start("filename", found.unixNs, found.utcOffsetMinutes);
  }
  return undefined;
}

/** The clock's face by BEXT, read as UTC. */
function bextTime(bext: NonNullable<RecorderMetadata["bext"]>, sampleRateHz: number): bigint | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(bext.originationDate)) return undefined;
  const midnight = parseIso(`${bext.originationDate}T00:00:00Z`);
  const clock = parseIso(`${bext.originationDate}T${bext.originationTime}Z`);
  if (midnight === undefined) return undefined;
  // The time reference counts samples since midnight; without one the origination time has to do.
  const sinceMidnight = (BigInt(bext.timeReference) * 1_000_000_000n) / BigInt(sampleRateHz);
  return bext.timeReference > 0 || clock === undefined ? midnight.unixNs + sinceMidnight : clock.unixNs;
}

/** ISO 8601 date and time, to the nanosecond; without a zone read as UTC. Undefined where it is none. */
export function parseIso(
  text: string,
): { unixNs: bigint; hasZone: boolean; utcOffsetMinutes: number | undefined } | undefined {
  const match =
    /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9})\d*)?\s*(Z|[+-]\d\d:?\d\d)?$/i.exec(
      text.trim(),
    );
  if (match === null) return undefined;
  const [, date, clock, fraction, zone] = match;
  const written = zone?.toUpperCase() ?? "Z";
  const offset = /^[+-]\d{4}$/.test(written) ? `${written.slice(0, 3)}:${written.slice(3)}` : written;
  const ms = Date.parse(`${date}T${clock}${offset}`);
  if (Number.isNaN(ms)) return undefined;
  const ns = BigInt((fraction ?? "0").padEnd(9, "0"));
  const utcOffsetMinutes = zone === undefined ? undefined : minutesOf(offset);
  return { unixNs: BigInt(ms) * 1_000_000n + ns, hasZone: zone !== undefined, utcOffsetMinutes };
}

/** Of `Z` or `+01:00`. */
function minutesOf(offset: string): number {
  if (offset === "Z") return 0;
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4, 6));
  return offset.startsWith("-") ? -minutes || 0 : minutes;
}
