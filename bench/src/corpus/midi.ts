import type { Score } from "./score.js";

const ticksPerSecond = 960;

/** A score as a Standard MIDI File, format 0, 480 ticks a quarter at 120 beats a minute. */
export function scoreToMidi(score: Score): Uint8Array {
  const events: { tick: number; bytes: number[] }[] = [];
  for (const [channel, program] of score.programs) events.push({ tick: 0, bytes: [0xc0 | channel, program] });
  for (const note of score.notes) {
    const start = Math.round(note.start * ticksPerSecond);
    const end = Math.round((note.start + note.duration) * ticksPerSecond);
    events.push({ tick: start, bytes: [0x90 | note.channel, note.pitch, note.velocity] });
    events.push({ tick: Math.max(start + 1, end), bytes: [0x80 | note.channel, note.pitch, 64] });
  }
  events.sort((a, b) => a.tick - b.tick);
  const body: number[] = [];
  let last = 0;
  for (const { tick, bytes } of events) {
    body.push(...variableLength(tick - last), ...bytes);
    last = tick;
  }
  body.push(0, 0xff, 0x2f, 0);
  const text = (name: string) => [...name].map((letter) => letter.charCodeAt(0));
  const header = [...text("MThd"), 0, 0, 0, 6, 0, 0, 0, 1, 480 >> 8, 480 & 255, ...text("MTrk")];
  const length = [24, 16, 8, 0].map((shift) => (body.length >>> shift) & 255);
  return Uint8Array.from([...header, ...length, ...body]);
}

function variableLength(value: number): number[] {
  const bytes = [value & 127];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 127) | 128);
  return bytes;
}
