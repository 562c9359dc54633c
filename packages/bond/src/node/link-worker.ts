import { parentPort, workerData } from "node:worker_threads";
import { type Hooks, isLongwaveError } from "@longwave/base";
import type { ReceiverOptions } from "../receiver/receiver-options.ts";
import type { Sender } from "../sender/sender.ts";
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
  | { readonly kind: "tune"; readonly id: number; readonly link: string; readonly change: LinkChange }
  | { readonly kind: "detach"; readonly id: number; readonly link: string; readonly cause: string }
  | { readonly kind: "wake" }
  | { readonly kind: "close" };

/** What `Sender.tune` changes. */
export type LinkChange = Parameters<Sender["tune"]>[1];

/** An error that crosses threads: code and kind are empty where it is none of ours. */
export interface LinkFailure {
  readonly code: string;
  readonly error: string;
  readonly message: string;
}

/** From the worker. */
export type LinkMessage =
  | { readonly kind: "ready"; readonly ssrc: number }
  | ({ readonly kind: "failed" } & LinkFailure)
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | ({ readonly kind: "refused"; readonly id: number } & LinkFailure)
  | {
      readonly kind: "log";
      readonly level: Parameters<NonNullable<Hooks["log"]>>[0];
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>> | undefined;
    }
  | { readonly kind: "wake" };

const port = parentPort!;
const data = workerData as LinkWorkerData;
const ring = new PacketRing(data.memory);
const post = (message: LinkMessage) => port.postMessage(message);
const hooks: Hooks = { log: (level, message, fields) => post({ kind: "log", level, message, fields }) };
try {
  const ssrc = await (data.role === "receiver" ? runReceiver(data.options) : runSender(data.options));
  post({ kind: "ready", ssrc });
} catch (error) {
  post({ kind: "failed", ...failureOf(error) });
  port.close();
}

async function runReceiver(options: ReceiverOptions): Promise<number> {
  const receiver = createReceiver(options, { hooks });
  await receiver.ready;
  receiver.onPacket((bytes, start, end, info) => {
    const wasEmpty = ring.push(bytes, start, end, info.sequence, info.timeUs, info.isDiscontinuity);
    if (wasEmpty) post({ kind: "wake" });
  });
  port.on("message", (request: LinkRequest) => {
    if (request.kind === "stats") answer(request.id, () => receiver.stats());
    else if (request.kind === "close") {
      receiver.close();
      port.close();
    }
  });
  return 0;
}

async function runSender(options: SenderOptions): Promise<number> {
  const sender = createSender(options, { hooks });
  await sender.ready;
  const packet = PacketRing.packet();
  port.on("message", (request: LinkRequest) => {
    if (request.kind === "wake") {
      while (ring.shift(packet)) {
        if (packet.isDiscontinuity) sender.markDiscontinuity();
        sender.send(packet.bytes.subarray(0, packet.length), packet.timeUs);
      }
    } else if (request.kind === "stats") answer(request.id, () => sender.stats());
    else if (request.kind === "tune") answer(request.id, () => sender.tune(request.link, request.change));
    else if (request.kind === "detach") answer(request.id, () => sender.detach(request.link, request.cause));
    else {
      sender.close();
      port.close();
    }
  });
  return sender.ssrc;
}

function answer(id: number, make: () => unknown): void {
  try {
    post({ kind: "answer", id, value: make() });
  } catch (error) {
    post({ kind: "refused", id, ...failureOf(error) });
  }
}

function failureOf(error: unknown): LinkFailure {
  const known = isLongwaveError(error) ? { code: error.code, error: error.kind } : { code: "", error: "" };
  return { message: (error as Error).message, ...known };
}
