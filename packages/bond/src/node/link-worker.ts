import { parentPort, workerData } from "node:worker_threads";
import { isLongwaveError } from "@longwave/base";
import type { ReceiverOptions } from "../receiver/receiver-options.ts";
import type { SenderOptions } from "../sender/sender-options.ts";
import { PacketRing } from "./packet-ring.ts";
import { createReceiver, createSender } from "./udp-ends.ts";

/** What starts a worker: one end of a link and the shared queue between it and its owner. */
export type LinkWorkerData =
  | { readonly role: "receiver"; readonly options: ReceiverOptions; readonly memory: SharedArrayBuffer }
  | { readonly role: "sender"; readonly options: SenderOptions; readonly memory: SharedArrayBuffer };

/** To the worker. */
export type LinkRequest =
  | { readonly kind: "stats"; readonly id: number }
  | { readonly kind: "wake" }
  | { readonly kind: "close" };

/** From the worker. */
export type LinkMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly code: string; readonly error: string; readonly message: string }
  | { readonly kind: "stats"; readonly id: number; readonly stats: unknown }
  | { readonly kind: "wake" };

const port = parentPort!;
const data = workerData as LinkWorkerData;
const ring = new PacketRing(data.memory);
try {
  await (data.role === "receiver" ? runReceiver(data.options) : runSender(data.options));
  port.postMessage({ kind: "ready" } satisfies LinkMessage);
} catch (error) {
  const known = isLongwaveError(error) ? { code: error.code, error: error.kind } : { code: "", error: "" };
  port.postMessage({ kind: "failed", message: (error as Error).message, ...known } satisfies LinkMessage);
  port.close();
}

async function runReceiver(options: ReceiverOptions): Promise<void> {
  const receiver = createReceiver(options);
  await receiver.ready;
  receiver.onPacket((bytes, start, end, info) => {
    const wasEmpty = ring.push(bytes, start, end, info.sequence, info.timeUs, info.isDiscontinuity);
    if (wasEmpty) port.postMessage({ kind: "wake" } satisfies LinkMessage);
  });
  port.on("message", (request: LinkRequest) => {
    if (request.kind === "stats") answer(request.id, receiver.stats());
    else if (request.kind === "close") {
      receiver.close();
      port.close();
    }
  });
}

async function runSender(options: SenderOptions): Promise<void> {
  const sender = createSender(options);
  await sender.ready;
  const packet = PacketRing.packet();
  port.on("message", (request: LinkRequest) => {
    if (request.kind === "stats") answer(request.id, sender.stats());
    else if (request.kind === "wake") {
      while (ring.shift(packet)) {
        if (packet.isDiscontinuity) sender.markDiscontinuity();
        sender.send(packet.bytes.subarray(0, packet.length), packet.timeUs);
      }
    } else {
      sender.close();
      port.close();
    }
  });
}

function answer(id: number, stats: unknown): void {
  port.postMessage({ kind: "stats", id, stats } satisfies LinkMessage);
}
