// npm run conformance -- opus-encode [--json] [--matrix N] [--from I]: packets of OpusEncoder beside those of libopus 1.6.1 (npm
// libopus-wasm) for N random combinations of settings from the I-th on, seeded: every packet decodes in ours and in the oracle
// with equal sound, and in ours with the encoder's final range. --clips: CELT on recordings of the shared audio instead. --silk: SILK
// on synthetic voices, every complexity, rate and packet length. --digest: only the SHA-256 of our packets and final ranges, to
// compare engines, with restores of the state between.
import { createHash } from "node:crypto";
import { OpusDecoder, OpusEncoder, opusCompare } from "@longwave/opus";
import { createDecoder, createEncoder, Signal } from "libopus-wasm";
import {
  applicationNumbers,
  combination,
  encodeForDigest,
  encoderOptions,
  type Profile,
  randomNumbers,
  testSignal,
} from "../opus-encode-matrix.js";
import { realClips, voices } from "../opus-material.js";
import { printReport } from "../side-by-side.js";

interface Outcome {
  readonly packets: number;
  readonly identical: number;
  readonly sameDecisions: number;
  readonly rejected: number;
}

async function runProfile(profile: Profile, seconds: number, seed: number): Promise<Outcome> {
  const { rateHz, channels } = profile;
  const frames = (rateHz * profile.frameMs) / 1000;
  const pcm = testSignal(rateHz, channels, seconds, seed);
  const oracle = await createEncoder({
    sampleRate: rateHz,
    channels,
    application: applicationNumbers[profile.application],
    bitrate: profile.bitrateBps,
    complexity: profile.complexity,
    vbr: profile.vbr,
    vbrConstraint: profile.vbrConstraint,
    fec: profile.fec,
    packetLossPercent: profile.lossPercent,
    dtx: profile.dtx,
    frameSize: frames,
  });
  const oracleDecoder = await createDecoder({ sampleRate: rateHz, channels, maxFrameSize: frames });
  using encoder = new OpusEncoder(encoderOptions(profile));
  using decoder = new OpusDecoder({ sampleRate: rateHz, channels });
  const packet = new Uint8Array(4000);
  const out = new Float32Array(frames * channels);
  let packets = 0;
  let identical = 0;
  let sameDecisions = 0;
  let rejected = 0;
  for (let at = 0; at + frames * channels <= pcm.length; at += frames * channels) {
    const piece = pcm.subarray(at, at + frames * channels);
    const expected = oracle.encode(piece);
    const bytes = encoder.encodeInt16(piece, packet);
    const ours = packet.slice(0, bytes);
    packets++;
    if (Buffer.compare(ours, expected) === 0) identical++;
    if (ours[0] === expected[0]) sameDecisions++;
    const decoded = decoder.tryDecode(ours, out);
    const reference = oracleDecoder.decodeFloat(ours);
    const ranges = encoder.finalRange === 0 || encoder.finalRange === decoder.finalRange;
    if (decoded !== frames || !ranges || out.some((value, index) => value !== reference[index])) rejected++;
  }
  oracle.free();
  oracleDecoder.free();
  return { packets, identical, sameDecisions, rejected };
}

/** The value behind an option, as a number. */
function numberOption(name: string, otherwise: number): number {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
}

/** CELT on recordings, each beside the oracle: packets, rate, and the distance of the standard's quality metric. */
async function runClips(): Promise<boolean> {
  const rows: Record<string, string | number>[] = [];
  let gaps = 0;
  let worst = 0;
  for (const clip of await realClips(8)) {
    const { pcm, channels } = clip;
    const bitrateBps = 64000 * channels;
    const oracle = await createEncoder({
      channels,
      application: applicationNumbers.lowdelay,
      bitrate: bitrateBps,
      complexity: 10,
    });
    using encoder = new OpusEncoder({ channels, application: "lowdelay", bitrateBps, complexity: 10 });
    using ours = new OpusDecoder({ channels });
    using theirs = new OpusDecoder({ channels });
    const samples = 960 * channels;
    const packet = new Uint8Array(4000);
    const decoded = new Int16Array(pcm.length);
    const reference = new Int16Array(pcm.length);
    let packets = 0;
    let identical = 0;
    let bytes = 0;
    let oracleBytes = 0;
    for (let at = 0; at + samples <= pcm.length; at += samples) {
      const piece = pcm.subarray(at, at + samples);
      const expected = oracle.encode(piece);
      const length = encoder.encodeInt16(piece, packet);
      packets++;
      if (Buffer.compare(packet.subarray(0, length), expected) === 0) identical++;
      bytes += length;
      oracleBytes += expected.length;
      ours.decodeInt16(packet.subarray(0, length), decoded.subarray(at, at + samples));
      theirs.decodeInt16(expected, reference.subarray(at, at + samples));
    }
    oracle.free();
    // The metric takes a stereo reference.
    const original =
      channels === 2 ? pcm : Int16Array.from({ length: 2 * pcm.length }, (_, i) => pcm[i >> 1]!);
    const quality = (tested: Int16Array) => opusCompare(original, tested, { channels }).quality;
    const gap = quality(decoded) - quality(reference);
    gaps += gap;
    worst = Math.min(worst, gap);
    rows.push({
      clip: clip.name,
      channels,
      packets,
      "identical to libopus 1.6.1": identical,
      "quality gap": gap.toFixed(2),
      "rate gap %": ((100 * bytes) / oracleBytes - 100).toFixed(2),
    });
  }
  printReport("CELT on recordings, 64 kbit/s a channel, complexity 10", rows);
  const mean = gaps / rows.length;
  const ok = rows.length >= 8 && mean >= -1 && worst >= -7;
  console.log(
    `\n${rows.length} clips, mean gap ${mean.toFixed(2)} (at least -1), worst ${worst.toFixed(2)} (at least -7): ${ok ? "ok" : "MISSED"}`,
  );
  return ok;
}

/** SILK, mono: complexity 0 to 10 at 8, 12 and 16 kHz in packets of 10 to 60 ms, as voice at rates that keep the oracle in SILK. */
async function runSilk(): Promise<boolean> {
  const rows: Record<string, string | number>[] = [];
  let ok = true;
  for (const [rateHz, bitrateBps] of [
    [8000, 9000],
    [12000, 12000],
    [16000, 18000],
  ] as const) {
    const pcm = (await voices(rateHz)).subarray(0, 5 * rateHz);
    for (const frameMs of [10, 20, 40, 60]) {
      const frames = (rateHz * frameMs) / 1000;
      const packet = new Uint8Array(4000);
      let packets = 0;
      let identical = 0;
      let silk = 0;
      for (let complexity = 0; complexity <= 10; complexity++) {
        const oracle = await createEncoder({
          sampleRate: rateHz,
          channels: 1,
          application: applicationNumbers.voip,
          signal: Signal.Voice,
          bitrate: bitrateBps,
          complexity,
          frameSize: frames,
        });
        using encoder = new OpusEncoder({
          sampleRate: rateHz,
          channels: 1,
          application: "voip",
          signal: "voice",
          bitrateBps,
          complexity,
        });
        for (let at = 0; at + frames <= pcm.length; at += frames) {
          const piece = pcm.subarray(at, at + frames);
          const expected = oracle.encode(piece);
          const bytes = encoder.encodeInt16(piece, packet);
          packets++;
          if (Buffer.compare(packet.subarray(0, bytes), expected) === 0) identical++;
          // Configurations below 12 are SILK (RFC 6716 section 3.1).
          if (expected[0]! >> 3 < 12) silk++;
        }
        oracle.free();
      }
      const share = (100 * identical) / packets;
      ok &&= share >= 99 && silk === packets;
      rows.push({ "rate Hz": rateHz, "packet ms": frameMs, packets, "SILK of them": silk, identical });
    }
  }
  printReport("SILK, complexity 0 to 10, mono", rows);
  console.log(`\nat least 99 % identical in each row, and all SILK: ${ok ? "ok" : "MISSED"}`);
  return ok;
}

if (process.argv.includes("--silk")) {
  process.exit((await runSilk()) ? 0 : 1);
}

if (process.argv.includes("--clips")) {
  process.exit((await runClips()) ? 0 : 1);
}

if (process.argv.includes("--digest")) {
  const hash = createHash("sha256");
  const { packets, differentAfterRestore } = encodeForDigest(numberOption("--matrix", 60), (bytes) => {
    hash.update(bytes);
  });
  console.log(
    `Node ${process.version}: ${packets} packets, ${differentAfterRestore} different after a restore, SHA-256 ${hash.digest("hex")}`,
  );
  process.exit(differentAfterRestore === 0 ? 0 : 1);
}

const asJson = process.argv.includes("--json");
const combinations = numberOption("--matrix", 200);
const first = numberOption("--from", 0);
const next = randomNumbers(7);
const total = { combinations, packets: 0, identical: 0, sameDecisions: 0, rejected: 0 };
const different: { profile: Profile; outcome: Outcome }[] = [];
for (let n = 0; n < first + combinations; n++) {
  const profile = combination(next);
  // A run in pieces goes on where the one before ended.
  if (n < first) continue;
  const outcome = await runProfile(profile, 0.6, n + 1);
  total.packets += outcome.packets;
  total.identical += outcome.identical;
  total.sameDecisions += outcome.sameDecisions;
  total.rejected += outcome.rejected;
  if (outcome.identical !== outcome.packets || outcome.rejected > 0) different.push({ profile, outcome });
}
if (asJson) {
  console.log(JSON.stringify({ ...total, different }, undefined, 2));
} else {
  console.log(`combinations ${first} to ${first + total.combinations - 1}, ${total.packets} packets`);
  console.log(
    `identical to libopus 1.6.1: ${total.identical} (${((100 * total.identical) / total.packets).toFixed(2)} %)`,
  );
  console.log(`same mode, bandwidth, channels and frame code: ${total.sameDecisions}`);
  console.log(`packets that a decoder refuses, or decodes otherwise: ${total.rejected}`);
  for (const { profile, outcome } of different) {
    console.log(
      `  ${outcome.identical}/${outcome.packets}, refused ${outcome.rejected}: ${JSON.stringify(profile)}`,
    );
  }
}
if (total.rejected > 0 || total.identical < 0.99 * total.packets) process.exitCode = 1;
