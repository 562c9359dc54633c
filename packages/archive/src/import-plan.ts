import { ArchiveError } from "./errors.ts";

/** How sound of another rate comes onto the 48 kHz axis. */
export type RateMode = "resample" | "expand";

/** What is known of sound before it is encoded. */
export interface SoundForm {
  readonly container: string;
  readonly sampleRateHz: number;
  readonly channels: number;
  /** Sample frames at the source's rate; undefined where the header does not tell. */
  readonly frames: number | undefined;
}

/** What an import of sound would do: shown first, carried out when its loss is accepted. */
export interface ImportPlan extends SoundForm {
  readonly mode: "keep" | RateMode;
  /** Time expansion as an exact fraction: seconds in the archive per second of sound. 1/1 but for `expand`. */
  readonly expansion: { readonly numerator: number; readonly denominator: number };
  readonly archiveChannels: 1 | 2;
  readonly bitrateBps: number;
  /** Seconds of sound, where known. */
  readonly seconds: number | undefined;
  /** Bytes of packets, roughly. */
  readonly bytes: number | undefined;
  /** What is lost, in whole sentences. */
  readonly warnings: readonly string[];
}

export interface PlanOptions {
  readonly bitrateBps?: number;
  /** Default: resample up to 96 kHz, expand above. */
  readonly mode?: RateMode;
  /** Time expansion that the recorder applied already (GUANO TE); the sound is taken as it is. */
  readonly expandedBefore?: number;
}

const rateHz = 48_000;
/** The encoder's widest band ends at 20 kHz of the 48 kHz clock. */
const bandShare = 20_000 / rateHz;
const highestRateHz = 768_000;

/**
 * Plans the import of sound that is not Opus.
 * @throws ArchiveError `archive/options` for rates and channels that cannot be archived
 */
export function planImport(form: SoundForm, options: PlanOptions = {}): ImportPlan {
  const { sampleRateHz, channels, frames } = form;
  if (!Number.isInteger(sampleRateHz) || sampleRateHz < 1000 || sampleRateHz > highestRateHz) {
    throw new ArchiveError(
      "archive/options",
      `Sound at ${sampleRateHz} Hz cannot be archived; 1,000 to ${highestRateHz} Hz can.`,
    );
  }
  const archiveChannels = channels === 1 ? 1 : 2;
  const mode =
    sampleRateHz === rateHz ? "keep" : (options.mode ?? (sampleRateHz > 96_000 ? "expand" : "resample"));
  const divisor = gcd(sampleRateHz, rateHz);
  const expansion =
    mode === "expand"
      ? { numerator: sampleRateHz / divisor, denominator: rateHz / divisor }
      : { numerator: 1, denominator: 1 };
  const bitrateBps = options.bitrateBps ?? (archiveChannels === 1 ? 64_000 : 128_000);
  const seconds = frames === undefined ? undefined : frames / sampleRateHz;
  const factor = expansion.numerator / expansion.denominator;
  const warnings = ["Opus is lossy: the samples of the source do not come back."];
  if (mode === "expand") {
    warnings.push(
      `Time is stretched ${expansion.numerator}/${expansion.denominator} times; content above ${Math.round(sampleRateHz * bandShare)} Hz is lost.`,
    );
  } else if (sampleRateHz / 2 > rateHz * bandShare) {
    warnings.push(
      `Content above 20,000 Hz is lost${mode === "resample" ? "; expand time to keep more" : ""}.`,
    );
  }
  if (channels > 2) warnings.push(`${channels} channels are mixed down to two.`);
  if (options.expandedBefore !== undefined && options.expandedBefore !== 1)
    warnings.push(
      `The recorder stretched time ${options.expandedBefore} times already; that is kept as it is.`,
    );
  return {
    ...form,
    mode,
    expansion,
    archiveChannels,
    bitrateBps,
    seconds,
    bytes: seconds === undefined ? undefined : Math.round((seconds * factor * bitrateBps) / 8),
    warnings,
  };
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
