import type { StationEvent } from "@longwave/station";
import pc from "picocolors";

/** An event as a line for people. */
export function describeEvent(event: StationEvent): string {
  return `${pc.dim(clock(event.atUs / 1000))}  ${words(event)}`;
}

function words(event: StationEvent): string {
  switch (event.type) {
    case "station.started":
      return `station ${event.station} started: ${event.programme}`;
    case "station.stopped":
      return `station stopped after ${clock(event.playedMs)}`;
    case "catalog.enrolled":
      return pc.dim(`enrolled ${event.title} (${event.records} fingerprint records)`);
    case "programme.started":
      return `${pc.bold("on air")}  ${event.title}${event.detail === "" ? "" : pc.dim(`  ${event.detail}`)}`;
    case "programme.ended":
      return "the programme has ended";
    case "match.entered":
      return `${pc.green("heard ")}  ${event.title} at ${clock(event.positionMs)} ${pc.dim(`(${event.votes} votes)`)}`;
    case "match.held":
      return pc.dim(`heard   ${event.title} at ${clock(event.positionMs)} (${event.votes} votes)`);
    case "match.left":
      return pc.dim(`lost    ${event.track} after ${clock(event.heldMs)}`);
    case "catalog.failed":
      return pc.yellow(`not enrolled: ${event.track}: ${event.reason}`);
    case "identification.away":
      return pc.yellow(`nothing is identified: ${event.reason}`);
    case "identification.returned":
      return "the catalog is back, the sound is identified again";
    case "signal.silent":
      return pc.yellow("silence for 5 s");
    case "signal.returned":
      return "the sound is back";
    case "reception.changed":
      return pc.dim(
        `reception: gain ${event.gainDb} dB, noise ${event.noiseDb ?? "off"}${event.noiseDb === null ? "" : " dB"}, ${event.lowHz} to ${event.highHz} Hz`,
      );
    case "link.changed":
      return `link ${event.link}: ${event.cut ? pc.red("cut") : `${event.delayMs} ms, ${(event.loss * 100).toFixed(0)} % loss, weight ${event.weight}`}`;
    case "encoder.changed":
      return pc.dim(`encoder: ${event.bitrateBps / 1000} kbit/s, complexity ${event.complexity}`);
    case "sound.lost":
      return pc.red("no sound arrives any more");
    case "sound.impaired":
      return pc.red("sound is lost and concealed again and again");
    case "sound.restored":
      return pc.yellow(
        `the sound is whole again; ${lengthText(event.blocks * 20)} were lost and concealed within ${lengthText(event.atMs - event.sinceMs)}`,
      );
    case "sound.concealed":
      return pc.yellow(`${lengthText(event.blocks * 20)} of sound were lost and concealed`);
    case "watermark.read":
      return `${pc.green("mark  ")}  ${event.payload} ${pc.dim(`(${event.sync} standard deviations)`)}`;
    case "speech.started":
      return `${pc.bold("says  ")}  ${event.text} ${pc.dim(`(${event.engine === event.voice ? event.engine : `${event.engine}, ${event.voice}`})`)}`;
    case "speech.ended":
      return pc.dim("the voice has ended");
    case "speech.failed":
      return pc.yellow(`could not be spoken: ${event.text}`);
    case "announcement.failed":
      return pc.yellow(`no announcement: ${event.reason}`);
    case "report.failed":
      return pc.yellow(`the report cannot be written: ${event.reason}`);
    case "report.damaged":
      return pc.yellow(`today's report was damaged: ${event.reason}`);
    case "archive.started":
      return `recording ${pc.bold(event.recording)}`;
    case "archive.continued":
      return `recording goes on in ${event.recording} after a gap of ${(event.gapMs / 1000).toFixed(1)} s`;
    case "archive.gap":
      return pc.yellow(
        `the input ${event.reason === "source-away" ? "was away" : "gave nothing"} for ${(event.gapMs / 1000).toFixed(1)} s: a gap in ${event.recording}`,
      );
    case "archive.completed":
      return `recorded ${clock(event.frames / 48)} into ${event.recording}`;
    case "archive.failed":
      return pc.red(`the archive cannot be written: ${event.reason} Trying again every 10 s.`);
    case "archive.taken":
      return pc.red(
        `another station records this stream now, this one has stopped recording it: ${event.reason}`,
      );
    case "archive.recovered":
      return `the archive is written again: ${event.recording}`;
    case "archive.delayed":
      return pc.yellow(`the archive's store is away, recordings wait in memory: ${event.reason}`);
    case "archive.delivered":
      return "the archive's store is back and has everything";
    case "archive.removed":
      return pc.dim(`removed ${event.recording}: older than what is kept`);
    case "archive.damaged":
      return pc.yellow(`recording ${event.recording} is damaged and left alone: ${event.reason}`);
    case "archive.digest":
      return `archive of ${event.objects} objects, ${event.bytes} bytes, SHA-256 ${event.sha256}`;
    case "clock.slipped":
      return pc.yellow(`this machine was busy: ${event.skippedMs} ms skipped`);
    case "input.failed":
      return pc.yellow(`cannot play ${event.input}: ${event.reason}`);
  }
}

function lengthText(milliseconds: number): string {
  return milliseconds < 10_000 ? `${milliseconds} ms` : clock(milliseconds);
}

function clock(milliseconds: number): string {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(total / 3600);
  return `${hours > 0 ? `${hours}:` : ""}${two(Math.floor(total / 60) % 60)}:${two(total % 60)}`;
}
