import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { systemErrorKind, systemReason } from "@longwave/base/node";
import { progress } from "../output.ts";
import { LinkError } from "./errors.ts";

/** Bytes that may wait for a slow file or pipe; newer packets are dropped beyond that, and counted. */
const maxWaitingBytes = 16 * 1024 * 1024;

/** Where received packets go. */
export interface Output {
  write(bytes: Uint8Array, start: number, end: number): void;
  readonly dropped: number;
  close(): Promise<void>;
}

/** @throws LinkError `link/bad-output` */
export async function openOutput(target: string): Promise<Output> {
  if (target.startsWith("udp://")) return openUdp(target);
  if (/^[a-z]+:\/\//.test(target)) {
    throw new LinkError(
      "link/bad-output",
      "usage",
      `${target} is no output; use udp://host:port, a file or -.`,
    );
  }
  const stream = target === "-" ? process.stdout : createWriteStream(target);
  let dropped = 0;
  let failure: Error | undefined;
  let isOpen = false;
  stream.on("error", (error: Error) => {
    failure ??= error;
    if (isOpen && target !== "-") progress(`${cannotWrite(target, error)} What arrives is dropped.`);
  });
  if (stream !== process.stdout) {
    await once(stream, "open").catch((cause: unknown) => {
      throw new LinkError("link/bad-output", systemErrorKind(cause), cannotWrite(target, cause), { cause });
    });
  }
  isOpen = true;
  return {
    write(bytes, start, end) {
      if (stream.writableLength > maxWaitingBytes || failure !== undefined) dropped++;
      else stream.write(bytes.slice(start, end));
    },
    get dropped() {
      return dropped;
    },
    close: () =>
      new Promise((resolve) => {
        if (target === "-" || failure !== undefined) resolve();
        else stream.end(() => resolve());
      }),
  };
}

function cannotWrite(target: string, cause: unknown): string {
  return `Cannot write ${target}: ${systemReason(cause)}.`;
}

function openUdp(target: string): Output {
  const match = /^udp:\/\/([^:/]+|\[[^\]]+\]):(\d+)$/.exec(target);
  if (match === null)
    throw new LinkError("link/bad-output", "usage", `${target} is no output; use udp://host:port.`);
  const host = match[1]!.replace(/^\[|\]$/g, "");
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  let dropped = 0;
  socket.on("error", () => dropped++);
  let isConnected = false;
  socket.connect(Number(match[2]), host, () => {
    isConnected = true;
  });
  return {
    write(bytes, start, end) {
      if (!isConnected) dropped++;
      else
        socket.send(bytes.slice(start, end), (error) => {
          if (error !== null) dropped++;
        });
    },
    get dropped() {
      return dropped;
    },
    close: async () => {
      socket.close();
    },
  };
}
