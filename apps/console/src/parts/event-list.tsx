import { clock, decibels, hertz } from "../format.ts";
import { events } from "../live/live.ts";
import type { StationEvent } from "../model.ts";

/** The newest events in words. */
export function EventList() {
  const shown = withoutRepeats(events.value);
  if (shown.length === 0) {
    return (
      <div class="state" style="min-height: 268px">
        <strong>Nothing has happened yet</strong>
        <span>Songs, matches and changes appear here as they happen.</span>
      </div>
    );
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <ol class="log" tabIndex={0} aria-label="Events, newest first">
      {shown.map((event) => (
        <li key={event.seq}>
          <time>{clock(event.atUs / 1000)}</time>
          <span>{words(event)}</span>
        </li>
      ))}
    </ol>
  );
}

/** Of the many events that say that a song still plays, the newest one is enough, as long as nothing else was heard since. */
function withoutRepeats(all: readonly StationEvent[]): readonly StationEvent[] {
  const newest = all.find(({ type }) => type.startsWith("match."));
  return all.filter((event) => event.type !== "match.held" || event === newest);
}

/** A track's title, where one of the events that are kept tells it. */
function titleOf(track: string): string {
  const told = events.value.find((event) => event["track"] === track && typeof event["title"] === "string");
  return told === undefined ? track : String(told["title"]);
}

function words(event: StationEvent) {
  const title = String(event["title"] ?? "");
  switch (event.type) {
    case "station.started":
      return `The station went on air: ${event["programme"]}`;
    case "station.stopped":
      return "The station went off air";
    case "catalog.enrolled":
      return (
        <span class="faint">
          Enrolled {title} ({Number(event["records"]).toLocaleString("en")} fingerprint records)
        </span>
      );
    case "programme.started":
      return (
        <>
          On air: <span class="strong">{title}</span>
        </>
      );
    case "programme.ended":
      return "The programme has ended";
    case "match.entered":
      return (
        <>
          Heard <span class="strong">{title}</span> at {clock(Number(event["positionMs"]))}
        </>
      );
    case "match.held":
      return (
        <span class="faint">
          Still {title}, at {clock(Number(event["positionMs"]))}
        </span>
      );
    case "match.left":
      return (
        <span class="faint">
          Heard {titleOf(String(event["track"]))} for {clock(Number(event["heldMs"]))}, not any more
        </span>
      );
    case "signal.silent":
      return "Silence for 5 seconds";
    case "signal.returned":
      return "The sound is back";
    case "reception.changed": {
      const noise = event["noiseDb"] === null ? "no noise" : `noise ${decibels(Number(event["noiseDb"]))}`;
      return `Reception: ${noise}, ${hertz(Number(event["lowHz"]))} to ${hertz(Number(event["highHz"]))}`;
    }
    case "link.changed":
      return event["cut"] === true
        ? `Link ${event["link"]} was cut`
        : `Link ${event["link"]}: ${event["delayMs"]} ms, ${(Number(event["loss"]) * 100).toFixed(0)} % loss, weight ${event["weight"]}`;
    case "encoder.changed":
      return `The encoder gives ${Number(event["bitrateBps"]) / 1000} kbit/s`;
    case "sound.lost":
      return <span class="strong">No sound arrives any more</span>;
    case "sound.impaired":
      return <span class="alarm">Sound is lost and made up for again and again</span>;
    case "sound.restored":
      return `The sound is whole again; ${clock(Number(event["blocks"]) * 20)} were lost`;
    case "sound.concealed": {
      const ms = Number(event["blocks"]) * 20;
      return `${ms < 10_000 ? `${ms} ms` : clock(ms)} of sound were lost and concealed`;
    }
    case "watermark.read":
      return (
        <>
          Read the mark <span class="strong">{String(event["payload"])}</span>
        </>
      );
    case "speech.started":
      return (
        <>
          Says: <span class="strong">{String(event["text"])}</span>
        </>
      );
    case "speech.ended":
      return <span class="faint">The voice has ended</span>;
    case "speech.failed":
      return <span class="alarm">Could not be spoken: {String(event["text"])}</span>;
    case "announcement.failed":
      return <span class="alarm">No announcement: {String(event["reason"])}</span>;
    case "report.failed":
      return <span class="alarm">The report cannot be written: {String(event["reason"])}</span>;
    case "report.damaged":
      return <span class="alarm">Today's report was damaged: {String(event["reason"])}</span>;
    case "archive.started":
      return `Recording ${event["recording"]}`;
    case "archive.continued":
      return `Recording goes on after a gap of ${clock(Number(event["gapMs"]))}`;
    case "archive.completed":
      return `Recorded ${clock(Number(event["frames"]) / 48)} into ${event["recording"]}`;
    case "archive.failed":
      return <span class="alarm">The archive cannot be written: {String(event["reason"])}</span>;
    case "archive.taken":
      return (
        <span class="alarm">
          Another station records this stream now, this one stopped: {String(event["reason"])}
        </span>
      );
    case "archive.recovered":
      return "The archive is written again";
    case "archive.delayed":
      return <span class="alarm">The archive waits for its store: {String(event["reason"])}</span>;
    case "archive.delivered":
      return "The archive's store is back and has everything";
    case "archive.removed":
      return <span class="faint">Removed {String(event["recording"])}, older than what is kept</span>;
    case "archive.damaged":
      return <span class="alarm">A recording is damaged: {String(event["reason"])}</span>;
    case "clock.slipped":
      return `The machine was busy: ${event["skippedMs"]} ms skipped`;
    case "input.failed":
      return `Cannot play ${event["input"]}: ${event["reason"]}`;
    default:
      return event.type;
  }
}
