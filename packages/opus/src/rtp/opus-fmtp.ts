import { OpusError } from "../errors.ts";

/** Format parameters of Opus in SDP (RFC 7587 section 6.1); what is absent has the default of the RFC. */
export interface OpusFmtp {
  /** Highest rate that the receiver plays; 8000 to 48000 Hz, default 48000. */
  readonly maxPlaybackRate?: number;
  /** Highest rate that the sender captures; default 48000. */
  readonly spropMaxCaptureRate?: number;
  /** 6000 to 510000 bit/s. */
  readonly maxAverageBitrate?: number;
  /** The receiver prefers stereo; default false. */
  readonly stereo?: boolean;
  /** The sender is likely to send stereo; default false. */
  readonly spropStereo?: boolean;
  readonly cbr?: boolean;
  readonly useInbandFec?: boolean;
  readonly useDtx?: boolean;
}

interface Parameter {
  readonly key: keyof OpusFmtp;
  readonly range?: readonly [number, number];
}

const parameters: Readonly<Record<string, Parameter>> = {
  maxplaybackrate: { key: "maxPlaybackRate", range: [8000, 48_000] },
  "sprop-maxcapturerate": { key: "spropMaxCaptureRate", range: [8000, 48_000] },
  maxaveragebitrate: { key: "maxAverageBitrate", range: [6000, 510_000] },
  stereo: { key: "stereo" },
  "sprop-stereo": { key: "spropStereo" },
  cbr: { key: "cbr" },
  useinbandfec: { key: "useInbandFec" },
  usedtx: { key: "useDtx" },
};

/**
 * Reads the parameters of an `a=fmtp:` line, with or without `a=fmtp:<type> ` in front. Unknown parameters, and known ones
 * with a value out of range, are ignored, as the RFC asks.
 */
export function parseOpusFmtp(line: string): OpusFmtp {
  const fmtp: Record<string, number | boolean> = {};
  for (const part of line.replace(/^\s*(a=)?fmtp:\s*\d+\s+/i, "").split(";")) {
    const [name = "", value = ""] = part.split("=", 2).map((text) => text.trim());
    const parameter = Object.hasOwn(parameters, name.toLowerCase())
      ? parameters[name.toLowerCase()]
      : undefined;
    if (parameter === undefined || !/^\d{1,9}$/.test(value)) continue;
    const number = Number(value);
    if (parameter.range === undefined) {
      if (number <= 1) fmtp[parameter.key] = number === 1;
    } else if (number >= parameter.range[0] && number <= parameter.range[1]) fmtp[parameter.key] = number;
  }
  return fmtp;
}

/** The parameters as text, in the order of the RFC, `;` between them. @throws OpusError `opus/bad-argument` out of range */
export function formatOpusFmtp(fmtp: OpusFmtp): string {
  const parts: string[] = [];
  for (const [name, { key, range }] of Object.entries(parameters)) {
    const value = fmtp[key];
    if (value === undefined) continue;
    const number = Number(value);
    if (range !== undefined && !(Number.isInteger(number) && number >= range[0] && number <= range[1])) {
      throw new OpusError(
        "opus/bad-argument",
        `${name} is an integer from ${range[0]} to ${range[1]}, not ${value}.`,
      );
    }
    parts.push(`${name}=${number}`);
  }
  return parts.join(";");
}

/** The settings of an encoder that format parameters touch. */
export interface FmtpTarget {
  bitrateBps: number | "auto" | "max";
  vbr: boolean;
  inbandFec: 0 | 1 | 2;
  dtx: boolean;
  forceChannels: 1 | 2 | "auto";
  maxBandwidth: "nb" | "mb" | "wb" | "swb" | "fb";
}

/** Sets an encoder to what the other side's parameters ask for (RFC 7587 section 6.1). */
export function applyFmtp(encoder: FmtpTarget, fmtp: OpusFmtp): void {
  const rate = fmtp.maxPlaybackRate ?? 48_000;
  encoder.maxBandwidth =
    rate < 12_000 ? "nb" : rate < 16_000 ? "mb" : rate < 24_000 ? "wb" : rate < 48_000 ? "swb" : "fb";
  const cap = fmtp.maxAverageBitrate;
  if (cap !== undefined && (typeof encoder.bitrateBps !== "number" || encoder.bitrateBps > cap))
    encoder.bitrateBps = cap;
  encoder.forceChannels = fmtp.stereo === true ? "auto" : 1;
  encoder.vbr = fmtp.cbr !== true;
  encoder.inbandFec = fmtp.useInbandFec === true ? 1 : 0;
  encoder.dtx = fmtp.useDtx === true;
}
