import { CliError } from "./errors.ts";

const unitSeconds: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * Microseconds of a duration: `90`, `90s`, `1.5h`, `1h30m`, `1:30`, `1:02:03.5`, or ISO 8601 `PT1H30M`.
 *
 * @throws CliError `cli/bad-argument`
 */
export function parseDurationUs(text: string): number {
  const seconds =
    clockSeconds(text) ??
    unitsSeconds(text.replace(/^P(?:(\d+)D)?T?/i, (_, days) => (days ? `${days}d` : "")));
  if (seconds === undefined || !Number.isFinite(seconds) || seconds < 0 || seconds > 366 * 86_400) {
    throw new CliError(
      "cli/bad-argument",
      "usage",
      `${JSON.stringify(text)} is no duration; write 90s, 2m, 1h30m, 1:30 or PT1H30M.`,
    );
  }
  return Math.round(seconds * 1e6);
}

function clockSeconds(text: string): number | undefined {
  const match = /^(?:(\d{1,4}):)?(\d{1,4}):(\d{1,2}(?:\.\d{1,6})?)$/.exec(text);
  if (match === null) return undefined;
  return Number(match[1] ?? 0) * 3600 + Number(match[2]) * 60 + Number(match[3]);
}

function unitsSeconds(text: string): number | undefined {
  if (/^\d{1,9}(\.\d{1,6})?$/.test(text)) return Number(text);
  if (!/^(\d{1,9}(\.\d{1,6})?(ms|s|m|h|d))+$/i.test(text)) return undefined;
  let seconds = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/gi)) {
    seconds += Number(amount) * unitSeconds[unit!.toLowerCase()]!;
  }
  return seconds;
}
