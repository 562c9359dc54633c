import type { ObjectInfo } from "../object-store.ts";

/** One page of ListObjectsV2 with `encoding-type=url`. */
export interface ListPage {
  readonly objects: readonly ObjectInfo[];
  /** Where the next page begins; undefined on the last one. */
  readonly next: string | undefined;
}

/** Reads the XML of a page; undefined where it is none. Keys are percent-encoded in it, so no other decoding is needed. */
export function parseListPage(xml: string): ListPage | undefined {
  if (!/<ListBucketResult[\s>]/.test(xml)) return undefined;
  const objects: ObjectInfo[] = [];
  for (const [, entry] of xml.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)) {
    const key = decodeKey(field(entry!, "Key") ?? "");
    const size = Number(field(entry!, "Size"));
    const etag = entities(field(entry!, "ETag") ?? "");
    if (key === undefined || key === "" || !Number.isSafeInteger(size)) return undefined;
    objects.push({ key, size, etag });
  }
  const isTruncated = field(xml, "IsTruncated") === "true";
  const next = field(xml, "NextContinuationToken");
  if (isTruncated && next === undefined) return undefined;
  return { objects, next: isTruncated ? entities(next!) : undefined };
}

/** Text of the first element with this name. */
export function field(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
}

function decodeKey(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function entities(value: string): string {
  return value.replace(/&(?:(\w+)|#(\d{1,7})|#x([0-9a-f]{1,6}));/gi, (whole, name, decimal, hexadecimal) => {
    if (name !== undefined) return named[name] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hexadecimal, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
