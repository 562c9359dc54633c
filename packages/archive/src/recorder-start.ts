import type { RecorderMetadata } from "@longwave/media";

/** When a recorder says that a recording began. */
export interface RecorderStart {
  readonly unixNs: bigint;
  readonly source: "guano" | "audiomoth" | "bext";
  /** The recorder told no zone; its time was taken as UTC. */
  readonly zoneAssumed: boolean;
}

/** The start of a recording from its metadata: GUANO first, then AudioMoth, then BEXT. */
export function recorderStart(metadata: RecorderMetadata, sampleRateHz: number): RecorderStart | undefined {
  const guano = metadata.guano?.timestamp && parseIso(metadata.guano.timestamp);
  if (guano) return { unixNs: guano.unixNs, source: "guano", zoneAssumed: !guano.hasZone };
  const { audioMoth, bext } = metadata;
  if (audioMoth !== undefined) {
    return { unixNs: BigInt(audioMoth.startUnixMs) * 1_000_000n, source: "audiomoth", zoneAssumed: false };
  }
  if (bext === undefined || !/^\d{4}-\d\d-\d\d$/.test(bext.originationDate)) return undefined;
  const midnight = parseIso(`${bext.originationDate}T00:00:00Z`);
  const clock = parseIso(`${bext.originationDate}T${bext.originationTime}Z`);
  if (midnight === undefined) return undefined;
  // The time reference counts samples since midnight; without one the origination time has to do.
  const sinceMidnight = (BigInt(bext.timeReference) * 1_000_000_000n) / BigInt(sampleRateHz);
  const unixNs =
    bext.timeReference > 0 || clock === undefined ? midnight.unixNs + sinceMidnight : clock.unixNs;
  return { unixNs, source: "bext", zoneAssumed: true };
}

/** ISO 8601 date and time, to the nanosecond; undefined where it is none. */
export function parseIso(text: string): { unixNs: bigint; hasZone: boolean } | undefined {
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
  return { unixNs: BigInt(ms) * 1_000_000n + ns, hasZone: zone !== undefined };
}
