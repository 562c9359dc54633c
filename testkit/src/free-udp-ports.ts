import { createSocket } from "node:dgram";

/** Below the ports that systems give away by themselves (Linux: from 32,768 on), so that nobody takes them meanwhile. */
const firstPort = 10_000;
const portCount = 20_000;
const step = 16;

let next = (process.pid * step) % portCount;

/**
 * The first, an even one, of `count` successive UDP ports of loopback that nobody has now; tests that run at the same time in other
 * processes start their search elsewhere.
 * @param count 1 to 16
 */
export async function freeUdpPorts(count: number): Promise<number> {
  for (let tries = 0; tries < portCount / step; tries++) {
    const first = firstPort + next;
    next = (next + step) % portCount;
    const isFree = await Promise.all(Array.from({ length: count }, (_, i) => canBind(first + i)));
    if (isFree.every(Boolean)) return first;
  }
  throw new Error(
    `No ${count} successive UDP ports are free between ${firstPort} and ${firstPort + portCount}.`,
  );
}

function canBind(port: number): Promise<boolean> {
  const socket = createSocket("udp4");
  return new Promise((resolve) => {
    socket.once("error", () => resolve(false));
    socket.bind(port, "127.0.0.1", () => socket.close(() => resolve(true)));
  });
}
