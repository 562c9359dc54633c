/** GUANO metadata (version 1.0) of a `guan` chunk: every field as text, and the well-known ones typed. */
export interface Guano {
  /** All fields in order, `Namespace|Key` as it stands in the file. */
  readonly fields: readonly (readonly [key: string, value: string])[];
  readonly version: string | undefined;
  /** ISO 8601 as it stands; with or without an offset from UTC. */
  readonly timestamp: string | undefined;
  readonly samplerateHz: number | undefined;
  readonly lengthSeconds: number | undefined;
  readonly position: { readonly latitude: number; readonly longitude: number } | undefined;
  readonly make: string | undefined;
  readonly model: string | undefined;
  readonly serial: string | undefined;
  readonly firmware: string | undefined;
  readonly temperatureInternalC: number | undefined;
  readonly temperatureExternalC: number | undefined;
  readonly filterHighPassKhz: number | undefined;
  readonly filterLowPassKhz: number | undefined;
  /** Time expansion factor; 1 = none. */
  readonly timeExpansion: number;
  readonly originalFilename: string | undefined;
  readonly speciesAuto: readonly string[];
  readonly speciesManual: readonly string[];
  readonly tags: readonly string[];
  readonly note: string | undefined;
}

/** Fields that are kept; a chunk holds a few dozen. */
const maxFields = 1000;

/**
 * Reads a `guan` chunk: UTF-8 lines `Key: Value`, keys of vendors as `Vendor|Key: Value`, order free. Never throws; lines
 * that are none are passed over, values that are no number are left to `fields`.
 */
export function parseGuano(bytes: Uint8Array): Guano {
  const fields: [string, string][] = [];
  for (const line of new TextDecoder().decode(bytes).replaceAll("\0", "").split(/\r?\n/)) {
    const colon = line.indexOf(":");
    if (colon < 1 || fields.length === maxFields) continue;
    fields.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()]);
  }
  // "GUANO|Version" is the one key of the format's own namespace.
  const text = (name: string): string | undefined => fields.find(([key]) => key === name)?.[1] || undefined;
  const number = (name: string): number | undefined => {
    const value = text(name);
    return value !== undefined && Number.isFinite(Number(value)) ? Number(value) : undefined;
  };
  const list = (name: string): string[] =>
    (text(name) ?? "")
      .split(",")
      .map((each) => each.trim())
      .filter((each) => each !== "");
  return {
    fields,
    version: text("GUANO|Version"),
    timestamp: text("Timestamp"),
    samplerateHz: number("Samplerate"),
    lengthSeconds: number("Length"),
    position: parsePosition(text("Loc Position")),
    make: text("Make"),
    model: text("Model"),
    serial: text("Serial"),
    firmware: text("Firmware Version"),
    temperatureInternalC: number("Temperature Int"),
    temperatureExternalC: number("Temperature Ext"),
    filterHighPassKhz: number("Filter HP"),
    filterLowPassKhz: number("Filter LP"),
    timeExpansion: number("TE") ?? 1,
    originalFilename: text("Original Filename"),
    speciesAuto: list("Species Auto ID"),
    speciesManual: list("Species Manual ID"),
    tags: list("Tags"),
    note: text("Note")?.replaceAll("\\n", "\n"),
  };
}

function parsePosition(value: string | undefined): Guano["position"] {
  const [latitude, longitude, ...rest] = (value ?? "").split(/\s+/).map(Number);
  if (latitude === undefined || longitude === undefined || rest.length > 0) return undefined;
  const valid = Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
  return valid ? { latitude, longitude } : undefined;
}
