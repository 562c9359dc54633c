// npm run conformance -- fingerprint-day [--hours 24] [--profile mark-v1]: streams a day of composed music through every profile in
// pushes of 20 ms and measures how far heap and buffers grow after the first hour (target: under 2 MB a day). The music
// repeats every ten minutes, a whole number of frames and seconds, so that every hour must give as many records as the first.
import { parseArgs } from "node:util";
import { createStream, type ProfileId, profileIds, profileOf } from "@longwave/fingerprint";
import { song } from "../corpus/song.js";

const { values } = parseArgs({
  options: { hours: { type: "string", default: "24" }, profile: { type: "string", multiple: true } },
});
const hours = Number(values.hours);
if (!Number.isInteger(hours) || hours < 3 || hours > 240) {
  throw new RangeError(`--hours is a whole number from 3 to 240, not ${values.hours}.`);
}
const profiles = (values.profile as ProfileId[] | undefined) ?? profileIds;
const mostGrowth = 2_000_000;
const musicSeconds = 600;
const collect = globalThis.gc;
if (collect === undefined) throw new Error("Start Node with --expose-gc, as npm run conformance does.");

function memoryInUse(): number {
  collect?.();
  collect?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

let missed = false;
for (const id of profiles) {
  const { sampleRate } = profileOf(id);
  const music = song({ seed: 24, seconds: musicSeconds, sampleRate });
  const step = sampleRate / 50;
  const stream = createStream(id);
  let records = 0;
  const sink = (_: Uint32Array, count: number) => void (records += count);
  const started = process.cpuUsage();
  let [memory, growth, perHour, wrongHours] = [0, 0, 0, 0];
  for (let hour = 0; hour < hours; hour++) {
    const before = records;
    for (let at = 0; at < 6 * music.length; at += step) {
      const from = at % music.length;
      stream.push(music, sink, from, from + step);
    }
    const now = memoryInUse();
    if (hour === 0) memory = now;
    else growth = Math.max(growth, now - memory);
    // The first hour lacks the records that wait for later sound; every other one gets those of the hour before.
    if (hour === 1) perHour = records - before;
    if (hour > 1 && records - before !== perHour) wrongHours++;
  }
  const used = process.cpuUsage(started);
  stream.flush(sink);
  const ok = growth < mostGrowth && wrongHours === 0 && perHour > 0;
  missed ||= !ok;
  const speed = Math.round((hours * 3.6e9) / (used.user + used.system));
  console.log(
    `${ok ? "ok    " : "MISSED"} ${id}: ${hours} h, ${perHour} records an hour (${wrongHours} hours with another number), ` +
      `largest growth ${(growth / 1000).toFixed(0)} kB (target < 2,000), ${speed} x real time`,
  );
}
process.exitCode = missed ? 1 : 0;
