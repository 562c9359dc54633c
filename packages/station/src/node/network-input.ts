import { createReceiver } from "@longwave/bond/node";
import { StationError } from "../errors.ts";
import type { StationEventBody } from "../event-log.ts";
import type { Cue } from "../stages.ts";
import { createLiveDecoder, ffmpegDecoder, type LiveDecoder, OpusPackets } from "./live-decoder.ts";
import type { LiveInput } from "./live-input.ts";
import { LiveRing } from "./live-ring.ts";

export interface NetworkInputOptions {
  readonly signal: AbortSignal;
}

/** Waits between two attempts to connect: 1 s, doubled up to 30 s. */
const firstRetryMs = 1000;
const longestRetryMs = 30_000;
/** A connection that gives nothing for so long counts as lost. */
const silenceMs = 15_000;
/** Bytes that must be there to tell the format of a stream. */
const detectBytes = 512;
/** A transport stream: packets of 188 bytes that begin with 0x47. */
const transportPacketBytes = 188;

/** True for an input that names a network address. */
export function isNetworkInput(input: string): boolean {
  return /^(https?|rist):\/\//.test(input);
}

/**
 * Plays an HTTP stream (Ogg Opus, WAV; others through ffmpeg), or what arrives by RIST: Opus packets as another station sends them, or a
 * transport stream through ffmpeg. A stream that breaks off is reported and tried again for as long as the station runs.
 *
 * @throws StationError `station/bad-option` for an address that is none; BondError for one that cannot be listened on
 */
export async function openNetworkInput(input: string, { signal }: NetworkInputOptions): Promise<LiveInput> {
  if (!URL.canParse(input)) {
    throw new StationError("station/bad-option", "usage", `${input.slice(0, 200)} is no address.`);
  }
  const shown = input.replace(/\/\/[^/@]*@(?=.)/, "//").replace(/\?.*$/, "");
  const cue: Cue = { item: "live", id: "live", title: "Live input", detail: shown, lengthFrames: undefined };
  const early: StationEventBody[] = [];
  let tell: (event: StationEventBody) => void = (event) => void early.push(event);
  const report = (error: unknown) =>
    tell({ type: "input.failed", input: shown, reason: (error as Error).message });
  const stop = new AbortController();
  const whole = AbortSignal.any([signal, stop.signal]);
  const ring = new LiveRing(cue, () => stop.abort());
  if (input.startsWith("rist:")) await listenRist(input, ring, whole, report);
  else void followHttp(input, ring, whole, report);
  return {
    name: shown,
    source: ring,
    onEvents: (take) => {
      tell = take;
      for (const event of early.splice(0)) take(event);
    },
  };
}

async function listenRist(
  address: string,
  ring: LiveRing,
  signal: AbortSignal,
  report: (error: unknown) => void,
): Promise<void> {
  const receiver = createReceiver({ listen: address });
  await receiver.ready;
  let opus: OpusPackets | undefined;
  let transport: LiveDecoder | undefined;
  let lastSequence: number | undefined;
  receiver.onPacket((bytes, start, end, { sequence }) => {
    const packet = bytes.subarray(start, end);
    if (packet.length % transportPacketBytes === 0 && packet[0] === 0x47) {
      transport ??= ffmpegDecoder((stereo) => ring.push(stereo), report);
      transport.push(packet.slice());
      return;
    }
    opus ??= new OpusPackets((stereo) => ring.push(stereo));
    const missing = lastSequence === undefined ? 0 : ((sequence - lastSequence) & 0xffff) - 1;
    for (let i = 0; i < Math.min(missing, 50); i++) opus.conceal(960);
    lastSequence = sequence;
    opus.push(packet);
  });
  signal.addEventListener("abort", () => {
    receiver.close();
    opus?.close();
    transport?.close();
  });
}

async function followHttp(
  address: string,
  ring: LiveRing,
  signal: AbortSignal,
  report: (error: unknown) => void,
): Promise<void> {
  for (let waitMs = firstRetryMs; !signal.aborted; waitMs = Math.min(2 * waitMs, longestRetryMs)) {
    const connection = new AbortController();
    try {
      const heard = await playHttp(address, ring, connection, signal);
      if (heard) waitMs = firstRetryMs;
      report(new Error("the stream ended; connecting again"));
    } catch (error) {
      if (signal.aborted) return;
      report(connectionError(error, connection.signal));
    } finally {
      connection.abort();
    }
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve(undefined);
      });
    });
  }
}

/** Plays until the stream ends; true where any of it was heard. */
async function playHttp(
  address: string,
  ring: LiveRing,
  connection: AbortController,
  signal: AbortSignal,
): Promise<boolean> {
  let timer = setTimeout(() => connection.abort(new Error("nothing came for 15 s")), silenceMs);
  let decoder: LiveDecoder | undefined;
  try {
    const response = await fetch(address, { signal: AbortSignal.any([connection.signal, signal]) });
    if (!response.ok || response.body === null) throw new Error(`it answered ${response.status}`);
    let first = Buffer.alloc(0);
    for await (const piece of response.body) {
      clearTimeout(timer);
      timer = setTimeout(() => connection.abort(new Error("nothing came for 15 s")), silenceMs);
      if (decoder !== undefined) {
        decoder.push(piece);
        continue;
      }
      first = Buffer.concat([first, piece]);
      if (first.length < detectBytes) continue;
      const fail = (error: Error) => connection.abort(error);
      decoder = createLiveDecoder(first, (stereo) => ring.push(stereo), fail);
      decoder.push(first);
    }
    return decoder !== undefined;
  } finally {
    clearTimeout(timer);
    decoder?.close();
  }
}

function connectionError(error: unknown, connection: AbortSignal): unknown {
  if (connection.aborted && connection.reason instanceof Error) return connection.reason;
  const cause = (error as { cause?: unknown }).cause;
  return cause instanceof Error ? new Error(`cannot connect: ${cause.message || cause.name}`) : error;
}
