// One thread of the stress test: many decoders and encoders of one core in random order, every output inside a larger
// buffer whose rest must stay as it was, guard blocks between the slots, and a second core in which results must repeat.
// Runs the built package, because threads do not see the sources. See stress.test.ts.
import { parentPort, workerData } from "node:worker_threads";
import { OpusCore, OpusDecoder, OpusEncoder } from "../../dist/index.js";

const { seed, steps, milliseconds, streams } = workerData;
const rates = [8000, 12000, 16000, 24000, 48000];
const guardBytes = 256;
const guardValue = 0xa5;
/** What output buffers are filled with before a call. */
const untouched = 77;
const margin = 32;

let state = seed >>> 0;
function below(bound) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * bound);
}

const failures = [];
function check(holds, what) {
  if (!holds && failures.length < 10) failures.push(`${what} (seed ${seed}, step ${step})`);
}

const core = OpusCore.create({ memoryMiB: 6 });
const mirror = OpusCore.create({ memoryMiB: 4 });
const instance = OpusCore.instanceOf(core);
const guards = [];
function addGuard() {
  const at = instance.arena.allocate(guardBytes);
  instance.bytes.fill(guardValue, at, at + guardBytes);
  guards.push(at);
}
function checkGuards() {
  for (const at of guards) {
    for (let i = at; i < at + guardBytes; i++)
      check(instance.bytes[i] === guardValue, `guard at ${at} was overwritten`);
  }
}

let step = 0;
const counts = { decoded: 0, refused: 0, concealed: 0, encoded: 0, restored: 0, reopened: 0 };
const kinds = [Float32Array, Int16Array, Int32Array];
const methods = ["decode", "decodeInt16", "decodeInt24"];

function newPlayer() {
  const options = { sampleRate: rates[below(5)], channels: 1 + below(2) };
  return {
    options,
    decoder: new OpusDecoder({ ...options, core }),
    stream: streams[below(streams.length)],
    position: 0,
  };
}

addGuard();
const players = Array.from({ length: 48 }, () => {
  const player = newPlayer();
  addGuard();
  return player;
});
const encoders = Array.from({ length: 6 }, () => {
  const encoder = new OpusEncoder({
    sampleRate: rates[below(5)],
    channels: 1 + below(2),
    complexity: below(11),
    core,
  });
  addGuard();
  return encoder;
});

/** A buffer of one kind filled with a value that no decode gives; `use` gets the part in its middle. */
function guarded(Kind, length, use) {
  const whole = new Kind(length + 2 * margin).fill(untouched);
  const written = use(whole.subarray(margin, margin + length));
  for (let i = 0; i < margin; i++) check(whole[i] === untouched, "a sample before the output was written");
  for (let i = margin + Math.max(0, written); i < whole.length; i++) {
    check(whole[i] === untouched, "a sample behind the output was written");
  }
  return whole.subarray(margin, margin + Math.max(0, written));
}

/** One call on a decoder; returns frames per channel, or the error's code. */
function call(decoder, method, packet, pcm, frames) {
  try {
    return decoder[method](packet, pcm, frames);
  } catch (error) {
    if (typeof error.code !== "string" || !error.code.startsWith("opus/")) throw error;
    return error.code;
  }
}

function play(player) {
  const { decoder, options } = player;
  const { channels, sampleRate } = options;
  let packet = player.stream[player.position++ % player.stream.length];
  const chance = below(10);
  let frames;
  if (chance === 0) packet = null;
  else if (chance === 1) {
    packet = packet.slice();
    for (let i = 0; i < 3; i++) packet[below(packet.length)] = below(256);
  } else if (chance === 2) packet = packet.subarray(0, below(packet.length + 1));
  const kind = below(3);
  let method = methods[kind];
  if (packet !== null && kind < 2 && below(8) === 0) {
    method = kind === 0 ? "decodeFec" : "decodeFecInt16";
    frames = (sampleRate / 400) * (1 + below(24));
  }
  // Now and then too short.
  const length = below(6) === 0 ? below(sampleRate / 100) * channels : ((sampleRate * 120) / 1000) * channels;
  const twin = below(12) === 0 ? copyElsewhere(decoder, options) : undefined;
  let result = 0;
  const sound = guarded(kinds[kind], length, (pcm) => {
    result = call(decoder, method, packet, pcm, frames);
    return typeof result === "number" ? result * channels : 0;
  });
  if (typeof result === "string") counts.refused++;
  else if (packet === null) counts.concealed++;
  else counts.decoded++;
  if (kind === 0) for (const value of sound) check(Number.isFinite(value), "a sample is not finite");
  if (twin === undefined) return;
  counts.restored++;
  const again = guarded(kinds[kind], length, (pcm) => {
    const repeated = call(twin, method, packet, pcm, frames);
    check(repeated === result, `a restored decoder said ${repeated}, not ${result}`);
    return typeof repeated === "number" ? repeated * channels : 0;
  });
  check(
    sound.length === again.length && sound.every((value, i) => value === again[i]),
    "a restored decoder differs",
  );
  check(twin.finalRange === decoder.finalRange, "a restored decoder's final range differs");
  twin.close();
}

function copyElsewhere(decoder, options) {
  const image = new Uint8Array(decoder.snapshotBytes);
  const bytes = decoder.snapshot(image);
  const twin = new OpusDecoder({ ...options, core: mirror });
  twin.restore(image.subarray(0, bytes));
  return twin;
}

function encode(encoder) {
  const frames = (encoder.sampleRate / 1000) * [2.5, 5, 10, 20, 40, 60][below(6)];
  const pcm = Float32Array.from({ length: frames * encoder.channels }, () => (below(2001) - 1000) / 2000);
  encoder.bitrateBps = 6000 + below(200_000);
  const packet = guarded(Uint8Array, 1500, (bytes) => {
    return encoder.encode(pcm, bytes);
  });
  check(packet.length > 0, "an encoder gave no packet");
  counts.encoded++;
}

const end = performance.now() + milliseconds;
for (; milliseconds > 0 ? performance.now() < end : step < steps; step++) {
  const choice = below(64);
  const index = below(players.length);
  if (choice === 0) {
    players[index].decoder.close();
    check(
      call(players[index].decoder, "decode", null, new Float32Array(9000)) === "opus/closed",
      "a closed decoder worked",
    );
    players[index] = newPlayer();
    counts.reopened++;
  } else if (choice === 1) players[index].decoder.reset();
  else if (choice === 2) players[index].stream = streams[below(streams.length)];
  else if (choice < 6) encode(encoders[below(encoders.length)]);
  else play(players[index]);
  if (step % 256 === 0) checkGuards();
}
checkGuards();
parentPort.postMessage({ steps: step, counts, failures });
