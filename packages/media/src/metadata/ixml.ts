/** What an iXML chunk says of a recording; the XML itself is kept by its reader as raw bytes. */
export interface Ixml {
  readonly project: string | undefined;
  readonly scene: string | undefined;
  readonly take: string | undefined;
  readonly tape: string | undefined;
  readonly note: string | undefined;
  /** Numerator and denominator of the frame rate of the time code, such as 25/1 or 30000/1001. */
  readonly timecodeRate: string | undefined;
  /** First sample since midnight. */
  readonly timestampSamples: number | undefined;
  readonly trackNames: readonly string[];
}

/** Tracks that are listed at most. */
const maxTracks = 256;

/**
 * Reads the common fields of an `iXML` chunk (iXML specification 3.01). It looks for elements by name and resolves the five
 * entities of XML; document types and other entities are not expanded. Never throws.
 */
export function parseIxml(bytes: Uint8Array): Ixml {
  const xml = new TextDecoder().decode(bytes);
  const value = (name: string): string | undefined => elementText(xml, name, 0)?.text || undefined;
  const high = value("TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI");
  const low = value("TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO");
  const samples = Number(high ?? 0) * 2 ** 32 + Number(low);
  const trackNames: string[] = [];
  for (let at = 0; trackNames.length < maxTracks; ) {
    const track = elementText(xml, "TRACK", at);
    if (track === undefined) break;
    trackNames.push(elementText(track.raw, "NAME", 0)?.text ?? "");
    at = track.end;
  }
  return {
    project: value("PROJECT"),
    scene: value("SCENE"),
    take: value("TAKE"),
    tape: value("TAPE"),
    note: value("NOTE"),
    timecodeRate: value("TIMECODE_RATE"),
    timestampSamples: low !== undefined && Number.isSafeInteger(samples) ? samples : undefined,
    trackNames,
  };
}

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** The first element of this name at or after `from`. */
function elementText(
  xml: string,
  name: string,
  from: number,
): { readonly raw: string; readonly text: string; readonly end: number } | undefined {
  const open = xml.indexOf(`<${name}>`, from);
  if (open < 0) return undefined;
  const start = open + name.length + 2;
  const close = xml.indexOf(`</${name}>`, start);
  if (close < 0) return undefined;
  const raw = xml.slice(start, close);
  const text = raw.replace(/&(lt|gt|amp|quot|apos);/g, (_, entity: string) => entities[entity]!).trim();
  return { raw, text, end: close + name.length + 3 };
}
