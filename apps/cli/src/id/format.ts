import type { MonitorEvent, TrackMatch } from "@longwave/catalog";

/** 83.25 s as "1:23.25". */
export function clockTime(milliseconds: number): string {
  const sign = milliseconds < 0 ? "-" : "";
  const total = Math.abs(milliseconds) / 1000;
  const minutes = Math.floor(total / 60);
  return `${sign}${minutes}:${(total - 60 * minutes).toFixed(2).padStart(5, "0")}`;
}

/** What of a recording was enrolled, for people. */
export function contentText(hashes: number, seconds: number, duplicates: readonly string[]): string {
  const length = clockTime(seconds * 1000);
  if (hashes === 0) return `0 hashes in ${length}: nothing to recognise it by (silence, or a single tone)`;
  return `${hashes} hashes, ${length}${duplicates.length === 0 ? "" : `, same sound as ${duplicates.join(", ")}`}`;
}

/** A match in one line for people. */
export function matchLine(match: TrackMatch): string {
  const name = match.track.title ?? match.track.id;
  const other = match.runnerUp === undefined ? "" : ` (with the next best score: ${match.runnerUp.votes})`;
  return (
    `${name} [${match.track.id}] at ${clockTime(match.offsetMs)}${changes(match)}, ` +
    `${match.votes} of ${match.queryHashes} hashes agree${other}, chance ${match.pFalse.toExponential(1)}`
  );
}

/** Tempo and pitch, where they are not those of the recording, and the stage of the search that tells them. */
function changes({ tempo, pitchCents, stage }: TrackMatch): string {
  const parts: string[] = [];
  if (Math.abs(tempo - 1) >= 0.005) parts.push(`tempo ${tempo.toFixed(3)}`);
  if (Math.abs(pitchCents) >= 5)
    parts.push(`pitch ${pitchCents > 0 ? "+" : ""}${pitchCents.toFixed(0)} cents`);
  if (stage !== "identity") parts.push(`found by ${stage}`);
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

/** The parts of query and recording that agree, in one line for people. */
export function spanLine({ querySpanMs: query, referenceSpanMs: reference }: TrackMatch): string {
  const span = ({ start, end }: { start: number; end: number }) => `${clockTime(start)} to ${clockTime(end)}`;
  return `${span(query)} is ${span(reference)} of the recording`;
}

/** An event of a monitored stream in one line for people. */
export function eventLine(event: MonitorEvent): string {
  const at = clockTime(event.atMs);
  if (event.type === "enter") {
    const { track, match } = event;
    const name = track.title === undefined ? track.id : `${track.title} [${track.id}]`;
    return `${at}  enter ${name} at ${clockTime(match.referenceSpanMs.start)}`;
  }
  if (event.type === "leave") return `${at}  leave ${event.track.id}`;
  if (event.type === "shards") {
    const names = event.missing.map(({ shard }) => shard).join(", ");
    if (names === "") return `${at}  all ${event.asked} shards answer again`;
    return `${at}  no answer from ${event.missing.length} of ${event.asked} shards: ${names}`;
  }
  if (event.type === "replaced")
    return `${at}  ${event.samples} samples until here were NaN or infinite and count as silence`;
  if (event.type === "away") return `${at}  the catalog is away: ${event.reason}`;
  if (event.type === "back") {
    const lost = event.lostLooks === 0 ? "nothing was lost" : `${event.lostLooks} looks were lost`;
    return `${at}  the catalog is back; ${lost}`;
  }
  return `${at}  ${event.type}`;
}
