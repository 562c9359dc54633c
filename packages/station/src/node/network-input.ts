import { createReceiver } from "@longwave/bond/node";
import { StationError } from "../errors.ts";
import type { StationEventBody } from "../event-log.ts";
import type { Cue } from "../stages.ts";
import { type HttpAddress, parseHttpAddress, withoutSecrets } from "./http-address.ts";
import { createLiveDecoder, ffmpegDecoder, type LiveDecoder, OpusPackets } from "./live-decoder.ts";
import type { LiveInput } from "./live-input.ts";
import { LiveRing } from "./live-ring.ts";

export interface NetworkInputOptions {
  readonly signal: AbortSignal;
  /** Waits before the next attempt to connect; default real time. */
  readonly waitToConnect?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Waits between two attempts to connect: 1 s, doubled up to 30 s while nothing is heard. */
const firstRetryMs = 1000;
const longestRetryMs = 30_000;
/** A connection that gives nothing for so long counts as lost. */
const silenceMs = 15_000;
/** Sound that waits before it plays. What comes by HTTP comes in bursts, and waits while this machine is busy. */
const httpStartMs = 1000;
const ristStartMs = 300;
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
 * Credentials in an HTTP address are sent as Basic authorization, and shown nowhere.
 *
 * @throws StationError `station/bad-option` for an address that is none; BondError for one that cannot be listened on
 */
export async function openNetworkInput(input: string, options: NetworkInputOptions): Promise<LiveInput> {
  const isRist = input.startsWith("rist:");
  if (!isRist && !URL.canParse(input)) {
    throw new StationError("station/bad-option", "usage", `${withoutSecrets(input)} is no address.`);
  }
  const shown = isRist ? withoutSecrets(input) : parseHttpAddress(input).shown;
  const cue: Cue = { item: "live", id: "live", title: "Live input", detail: shown, lengthFrames: undefined };
  const early: StationEventBody[] = [];
  let tell: (event: StationEventBody) => void = (event) => void early.push(event);
  const report = (error: unknown) =>
    tell({ type: "input.failed", input: shown, reason: (error as Error).message });
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const ring = new LiveRing(cue, isRist ? ristStartMs : httpStartMs, () => stop.abort());
  if (isRist) await listenRist(input, ring, signal, report);
  else void followHttp(parseHttpAddress(input), ring, { ...options, signal }, report);
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
  address: HttpAddress,
  ring: LiveRing,
  { signal, waitToConnect = sleep }: NetworkInputOptions,
  report: (error: unknown) => void,
): Promise<void> {
  for (let waitMs = firstRetryMs; !signal.aborted; ) {
    const connection = new AbortController();
    // However a connection ends, by a reset as well: one that gave sound was a good one.
    const onSound = () => {
      waitMs = firstRetryMs;
      ring.isConnected = true;
    };
    try {
      await playHttp(address, ring, { connection, signal, onSound });
      report(new Error("the stream ended; connecting again"));
    } catch (error) {
      if (signal.aborted) return;
      report(connectionError(error, connection.signal));
    } finally {
      ring.isConnected = false;
      connection.abort();
    }
    await waitToConnect(waitMs, signal);
    waitMs = Math.min(2 * waitMs, longestRetryMs);
  }
}

/** Plays until the stream ends. */
async function playHttp(
  { url, authorization }: HttpAddress,
  ring: LiveRing,
  { connection, signal, onSound }: { connection: AbortController; signal: AbortSignal; onSound: () => void },
): Promise<void> {
  const giveUp = () => connection.abort(new Error("nothing came for 15 s"));
  let timer = setTimeout(giveUp, silenceMs);
  let decoder: LiveDecoder | undefined;
  const take = (stereo: Float32Array) => {
    onSound();
    ring.push(stereo);
  };
  try {
    const response = await fetch(url, {
      signal: AbortSignal.any([connection.signal, signal]),
      ...(authorization !== undefined && { headers: { authorization } }),
    });
    if (!response.ok || response.body === null) throw new Error(answered(response.status));
    let first = Buffer.alloc(0);
    for await (const piece of response.body) {
      clearTimeout(timer);
      timer = setTimeout(giveUp, silenceMs);
      if (decoder !== undefined) {
        decoder.push(piece);
        continue;
      }
      first = Buffer.concat([first, piece]);
      if (first.length < detectBytes) continue;
      const fail = (error: Error) => connection.abort(error);
      decoder = createLiveDecoder(first, take, fail);
      decoder.push(first);
    }
  } finally {
    clearTimeout(timer);
    decoder?.close();
  }
}

function answered(status: number): string {
  const hint =
    status === 401 ? "; write the name and the password into the address: http://NAME:PASSWORD@…" : "";
  return `it answered ${status}${hint}`;
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done);
  });
}

function connectionError(error: unknown, connection: AbortSignal): unknown {
  if (connection.aborted && connection.reason instanceof Error) return connection.reason;
  const cause = (error as { cause?: unknown }).cause;
  return cause instanceof Error ? new Error(`cannot connect: ${cause.message || cause.name}`) : error;
}
