// Runs the codec and the fingerprints of the Lab off the page's thread. Loaded when the Lab is used first.
import { createStream, profileOf } from "@longwave/fingerprint";
import { createPacketInfo, OpusDecoder, OpusEncoder, parsePacket } from "@longwave/opus";
import { findMarks, markSound } from "./lab-mark.ts";
import type { LabAnswer, LabApplication, LabConstellation, LabQuestion, LabTrace } from "./lab-messages.ts";

const rateHz = 48_000;
const modes = ["silk", "hybrid", "celt"] as const;
const bandwidths = ["nb", "mb", "wb", "swb", "fb"] as const;

self.onmessage = ({ data: question }: MessageEvent<LabQuestion>) => {
  try {
    post({ number: question.number, ...answerTo(question) });
  } catch (error) {
    post({ number: question.number, kind: "failed", problem: (error as Error).message });
  }
};

function answerTo(question: LabQuestion) {
  if (question.kind === "code") return code(question);
  if (question.kind === "mark") return mark(question);
  return { kind: "constellation" as const, constellation: constellation(question.pcm) };
}

function post(answer: LabAnswer): void {
  const buffers =
    answer.kind === "coded"
      ? [answer.pcm.buffer]
      : answer.kind === "marked"
        ? [answer.pcm.buffer, answer.codedPcm.buffer]
        : [];
  (self as unknown as Worker).postMessage(answer, buffers as Transferable[]);
}

interface CodeQuestion {
  readonly pcm: Float32Array;
  readonly bitrateBps: number;
  readonly application: LabApplication;
  readonly lossPercent: number;
}

/**
 * Encodes and decodes interleaved stereo; the result is aligned with the original. Lost packets are the same ones each time; what
 * the next packet knows of one (FEC, in the speech modes) is used, the rest is concealed.
 */
function code({ pcm, bitrateBps, application, lossPercent }: CodeQuestion) {
  const frame = application === "lowdelay" ? 240 : 960;
  const encoder = new OpusEncoder({
    sampleRate: rateHz,
    channels: 2,
    application,
    bitrateBps,
    inbandFec: lossPercent > 0 ? 1 : 0,
    packetLossPercent: lossPercent,
  });
  const decoder = new OpusDecoder({ sampleRate: rateHz, channels: 2 });
  const delay = encoder.lookahead;
  const frames = pcm.length / 2;
  const count = Math.ceil((frames + delay) / frame);
  const trace: LabTrace = {
    bytes: new Uint16Array(count),
    mode: new Uint8Array(count),
    bandwidth: new Uint8Array(count),
    channels: new Uint8Array(count),
  };
  const out = new Float32Array(pcm.length);
  const block = new Float32Array(2 * frame);
  const sound = new Float32Array(2 * frame);
  const packet = new Uint8Array(1276);
  const info = createPacketInfo();
  let random = 1;
  let lostBefore = false;
  const place = (index: number) => {
    const at = 2 * (index * frame - delay);
    const from = Math.max(0, -at);
    const to = Math.min(sound.length, out.length - at);
    if (to > from) out.set(sound.subarray(from, to), at + from);
  };
  let encodeMs = 0;
  let decodeMs = 0;
  for (let i = 0; i < count; i++) {
    block.fill(0);
    block.set(pcm.subarray(2 * i * frame, 2 * (i + 1) * frame));
    const begun = performance.now();
    const bytes = encoder.encode(block, packet);
    const encoded = performance.now();
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    const lost = random / 2 ** 32 < lossPercent / 100;
    if (lostBefore) {
      if (lost) decoder.decode(null, sound, frame);
      else decoder.decodeFec(packet.subarray(0, bytes), sound, frame);
      place(i - 1);
    }
    if (!lost) {
      decoder.decode(packet.subarray(0, bytes), sound);
      place(i);
    }
    lostBefore = lost;
    decodeMs += performance.now() - encoded;
    encodeMs += encoded - begun;
    parsePacket(packet.subarray(0, bytes), info);
    trace.bytes[i] = bytes;
    trace.mode[i] = modes.indexOf(info.mode);
    trace.bandwidth[i] = bandwidths.indexOf(info.bandwidth);
    trace.channels[i] = info.channels;
  }
  if (lostBefore) {
    decoder.decode(null, sound, frame);
    place(count - 1);
  }
  encoder.close();
  decoder.close();
  const total = trace.bytes.reduce((sum, bytes) => sum + bytes, 0);
  return { kind: "coded" as const, pcm: out, trace, totalBytes: total, encodeMs, decodeMs };
}

/** Puts a mark in, sends it through the codec, and looks for it everywhere. */
function mark(question: CodeQuestion & { readonly key: string; readonly payload: string }) {
  const { pcm, key, payload } = question;
  const marked = markSound(pcm, key, payload);
  const codedPcm = code({ ...question, pcm: marked }).pcm;
  let signal = 0;
  let difference = 0;
  for (let i = 0; i < pcm.length; i++) {
    signal += pcm[i]! * pcm[i]!;
    difference += (marked[i]! - pcm[i]!) * (marked[i]! - pcm[i]!);
  }
  return {
    kind: "marked" as const,
    pcm: marked,
    codedPcm,
    belowDb: 10 * Math.log10(Math.max(1e-12, signal) / Math.max(1e-12, difference)),
    before: findMarks(pcm, key),
    marked: findMarks(marked, key),
    coded: findMarks(codedPcm, key),
  };
}

/** Peaks and hashes of the identification, of the mono sum. */
function constellation(pcm: Float32Array): LabConstellation {
  const { hopSize, sampleRate, fftSize, recordWords } = profileOf("wang-v1");
  const peaks: number[] = [];
  const hashes: [number, number][] = [];
  const stream = createStream("wang-v1", {
    sampleRate: rateHz,
    onPeak: (at, bin, decibels) =>
      void peaks.push((at * hopSize * 1000) / sampleRate, (bin * sampleRate) / fftSize, decibels),
  });
  const keep = (records: Uint32Array, count: number) => {
    for (let i = 0; i < count; i++) {
      hashes.push([records[i * recordWords]!, records[i * recordWords + 1]!]);
    }
  };
  const mono = new Float32Array(pcm.length / 2);
  for (let i = 0; i < mono.length; i++) mono[i] = (pcm[2 * i]! + pcm[2 * i + 1]!) / 2;
  stream.push(mono, keep);
  stream.flush(keep);
  return { peaks: Float32Array.from(peaks), hashes, maxHz: sampleRate / 2 };
}
