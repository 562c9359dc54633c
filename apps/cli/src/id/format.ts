import type { MonitorEvent, TrackMatch } from "@longwave/catalog";

/** 83.25 s as "1:23.25". */
export function clockTime(milliseconds: number): string {
  const sign = milliseconds < 0 ? "-" : "";
  const total = Math.abs(milliseconds) / 1000;
  const minutes = Math.floor(total / 60);
  return `${sign}${minutes}:${(total - 60 * minutes).toFixed(2).padStart(5, "0")}`;
}

/** A match in one line for people. */
export function matchLine(match: TrackMatch): string {
  const name = match.track.title ?? match.track.id;
  const other = match.runnerUp === undefined ? "" : `, next best ${match.runnerUp.votes}`;
  return (
    `${name} [${match.track.id}] at ${clockTime(match.offsetMs)}, ` +
    `${match.votes} of ${match.queryHashes} hashes agree${other}, chance ${match.pFalse.toExponential(1)}`
  );
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
  return `${at}  ${event.type}`;
}
