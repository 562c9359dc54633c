import { createSocket } from "node:dgram";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { LinkError } from "./errors.ts";
import { gatherArrivals } from "./gather.ts";

/** Seven transport stream packets. */
const chunkBytes = 1316;
const rtpHeaderBytes = 12;

/**
 * Hands every packet of a source to `push` until it ends or `signal` aborts.
 * @param gatherMs packets of a socket that come within this time are handled together
 */
export async function runSource(
  source: string,
  bitrateBps: number,
  gatherMs: number,
  push: (packet: Uint8Array) => void,
  signal: AbortSignal,
): Promise<void> {
  if (source === "test") return runTest(bitrateBps, push, signal);
  if (/^(udp|rtp):\/\//.test(source)) return runSocket(source, gatherMs, push, signal);
  if (source === "-") return runChunks(process.stdin, push, signal);
  return runFile(source, bitrateBps, push, signal);
}

/** Calls `step(count)` about every millisecond with the number of packets that are due. */
async function pace(
  packetsPerSecond: number,
  step: (count: number) => Promise<boolean> | boolean,
  signal: AbortSignal,
) {
  const started = performance.now();
  let done = 0;
  while (!signal.aborted) {
    const due = Math.floor(((performance.now() - started) / 1000) * packetsPerSecond) - done;
    if (due > 0) {
      done += due;
      if (!(await step(due))) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function runTest(
  bitrateBps: number,
  push: (packet: Uint8Array) => void,
  signal: AbortSignal,
): Promise<void> {
  const { testPayloadBytes, writeTestPayload } = await import("@longwave/netsim");
  const payload = new Uint8Array(testPayloadBytes);
  let sent = 0;
  await pace(
    bitrateBps / (8 * testPayloadBytes),
    (count) => {
      for (let i = 0; i < count; i++) {
        writeTestPayload(payload, sent++, Math.floor(performance.now() * 1000));
        push(payload);
      }
      return true;
    },
    signal,
  );
}

async function runFile(
  path: string,
  bitrateBps: number,
  push: (packet: Uint8Array) => void,
  signal: AbortSignal,
) {
  const file = await open(path).catch((cause: Error) => {
    throw new LinkError("link/no-source", "usage", `Cannot read ${path}: ${cause.message}.`, { cause });
  });
  const chunk = new Uint8Array(chunkBytes);
  try {
    await pace(
      bitrateBps / (8 * chunkBytes),
      async (count) => {
        for (let i = 0; i < count; i++) {
          const { bytesRead } = await file.read(chunk, 0, chunkBytes);
          if (bytesRead === 0) return false;
          push(chunk.subarray(0, bytesRead));
        }
        return true;
      },
      signal,
    );
  } finally {
    await file.close();
  }
}

async function runChunks(input: NodeJS.ReadStream, push: (packet: Uint8Array) => void, signal: AbortSignal) {
  const rest = new Uint8Array(chunkBytes);
  let filled = 0;
  signal.addEventListener("abort", () => input.destroy(), { once: true });
  try {
    for await (const piece of input as AsyncIterable<Buffer>) {
      for (let at = 0; at < piece.length; ) {
        const count = Math.min(chunkBytes - filled, piece.length - at);
        rest.set(piece.subarray(at, at + count), filled);
        filled += count;
        at += count;
        if (filled < chunkBytes) continue;
        push(rest);
        filled = 0;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (filled > 0) push(rest.subarray(0, filled));
}

async function runSocket(
  source: string,
  gatherMs: number,
  push: (packet: Uint8Array) => void,
  signal: AbortSignal,
): Promise<void> {
  const match = /^(udp|rtp):\/\/@?([^:/]*):(\d+)$/.exec(source);
  if (match === null)
    throw new LinkError("link/bad-source", "usage", `${source} is no source; use udp://host:port.`);
  const skip = match[1] === "rtp" ? rtpHeaderBytes : 0;
  const socket = createSocket({
    type: match[2]!.includes(":") ? "udp6" : "udp4",
    recvBufferSize: 4 * 1024 * 1024,
  });
  const gather = gatherArrivals(gatherMs);
  socket.on("message", (bytes) => {
    gather();
    if (skip === 0 && bytes.length > 0) push(bytes);
    else if (bytes.length > skip) push(bytes.subarray(skip));
  });
  try {
    socket.bind(Number(match[3]), match[2] || "0.0.0.0");
    await once(socket, "listening").catch((cause: Error) => {
      throw new LinkError(
        "link/bind-failed",
        "unavailable",
        `Cannot listen at ${source}: ${cause.message}.`,
        { cause },
      );
    });
    if (!signal.aborted) await once(signal, "abort");
  } finally {
    socket.close();
  }
}
