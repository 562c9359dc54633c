import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { UdpSocket } from "@longwave/bond/node";
import { testPayloadBytes } from "@longwave/netsim";
import type { UdpProxy } from "@longwave/netsim/node";
import type { LiveRunOptions } from "./live-options.ts";
import { PeerProcess } from "./peer-process.ts";

const host = "127.0.0.1";
const commandLine = fileURLToPath(new URL("../../../apps/cli/dist/main.js", import.meta.url));
/** Below the system's own choices, and apart from another run beside this one. */
let nextPort = 12_000 + 4000 * (process.pid % 5);

/** A fresh even port with room for the next ones: eight in a row that nobody has. */
export function takePort(): number {
  const used = usedPorts();
  do nextPort += 8;
  while (Array.from({ length: 8 }, (_, i) => nextPort + i).some((port) => used.has(port)));
  return nextPort;
}

/** UDP ports that somebody has, where the system tells. */
function usedPorts(): ReadonlySet<number> {
  try {
    const sockets = readFileSync("/proc/net/udp", "utf8").matchAll(/^\s*\d+: [0-9A-F]{8}:([0-9A-F]{4})/gm);
    return new Set([...sockets].map(([, port]) => Number.parseInt(port!, 16)));
  } catch {
    return new Set();
  }
}

/** One end of a live run, in a process of its own. */
export interface LiveEnd {
  /** CPU seconds so far. */
  cpu(): number;
  rssMb(): number;
  /** What it printed. */
  output(): string;
  close(): Promise<void>;
}

/** Starts the receiving end; `onPayload` gets what it delivers over UDP. */
export async function startReceiver(
  options: LiveRunOptions,
  targets: readonly number[],
  proxies: readonly UdpProxy[],
  onPayload: (bytes: Uint8Array, start: number, end: number) => void,
): Promise<LiveEnd> {
  const port = takePort();
  const socket = new UdpSocket({ address: host, port });
  await socket.ready;
  socket.onMessage((bytes, length) => {
    for (let at = 0; at + testPayloadBytes <= length; at += testPayloadBytes)
      onPayload(bytes, at, at + testPayloadBytes);
  });
  const peer = receiverProcess(options, targets, proxies, port);
  if (options.receiver === "own") await peer.firstLine();
  return endOf(peer, socket);
}

/** Starts the sending end; it sends what its `send` is given over UDP. */
export async function startSender(
  options: LiveRunOptions,
  target: number,
  proxies: readonly UdpProxy[],
): Promise<LiveEnd & { send(payload: Uint8Array): void }> {
  const port = takePort();
  const socket = new UdpSocket({ address: host, port: 0, peer: { address: host, port } });
  await socket.ready;
  socket.onError(() => undefined);
  const peer = senderProcess(options, target, proxies, port);
  if (options.sender === "own") await peer.firstLine();
  return {
    ...endOf(peer, socket),
    send: (payload) => void socket.send(payload, 0, payload.length, host, port),
  };
}

function endOf(peer: PeerProcess, socket: UdpSocket): LiveEnd {
  return {
    cpu: () => peer.cpuSeconds(),
    rssMb: () => peer.rssMb(),
    output: () => peer.output,
    close: async () => {
      await peer.stop();
      socket.close();
    },
  };
}

function receiverProcess(
  options: LiveRunOptions,
  targets: readonly number[],
  proxies: readonly UdpProxy[],
  output: number,
): PeerProcess {
  const target = targets[0]!;
  const query = queryOf(options, options.receiverSecret ?? options.secret, options.isSwapped === true);
  const addresses = options.isSwapped
    ? proxies.map((proxy) => `rist://${host}:${proxy.port}?${query}`).join(",")
    : `rist://@${host}:${target}?${query}`;
  const udp = `udp://${host}:${output}`;
  if (options.receiver === "own") {
    const flags = ["--profile", options.profile, "--json", ...(options.ownReceiverFlags ?? [])];
    if (options.srp && !options.isSwapped) flags.push("--srp-file", options.srp.file);
    return new PeerProcess(process.execPath, [
      ...[commandLine, "link", "receive", ...flags, "--bind", addresses, "--output", udp],
    ]);
  }
  if (options.receiver === "librist") {
    return new PeerProcess("ristreceiver", [
      ...["-p", options.profile === "simple" ? "0" : "1", "-v", "6", "-S", "0"],
      ...(options.srp && !options.isSwapped ? ["-F", options.srp.file] : []),
      ...["-i", addresses, "-o", udp],
    ]);
  }
  return new PeerProcess("gst-launch-1.0", [
    ...["-q", "ristsrc", `receiver-buffer=${options.bufferMs}`],
    ...(targets.length === 1
      ? [`address=${host}`, `port=${target}`]
      : [`bonding-addresses=${targets.map((each) => `${host}:${each}`).join(",")}`]),
    ...["!", "rtpmp2tdepay", "!", "udpsink", `host=${host}`, `port=${output}`, "sync=false"],
  ]);
}

function senderProcess(
  options: LiveRunOptions,
  target: number,
  proxies: readonly UdpProxy[],
  input: number,
): PeerProcess {
  const query = queryOf(options, options.secret, options.isSwapped !== true);
  const addresses = options.isSwapped
    ? `rist://@${host}:${target}?${query}`
    : proxies
        .map((proxy, i) => `rist://${host}:${proxy.port}?${query}&weight=${options.links[i]?.weight ?? 5}`)
        .join(",");
  if (options.sender === "own") {
    const flags = ["--profile", options.profile, "--buffer", String(options.bufferMs), "--json"];
    if (options.hasNulls) flags.push("--npd");
    if (options.srp && options.isSwapped) flags.push("--srp-file", options.srp.file);
    return new PeerProcess(process.execPath, [
      ...[commandLine, "link", "send", ...flags, ...(options.ownSenderFlags ?? [])],
      ...["--source", `udp://${host}:${input}`, "--dest", addresses],
    ]);
  }
  if (options.sender === "librist") {
    return new PeerProcess("ristsender", [
      ...["-p", options.profile === "simple" ? "0" : "1", "-v", "6", "-S", "0"],
      ...(options.hasNulls ? ["-n"] : []),
      ...(options.srp && options.isSwapped ? ["-F", options.srp.file] : []),
      ...["-i", `udp://@${host}:${input}`, "-o", addresses],
    ]);
  }
  return new PeerProcess("gst-launch-1.0", [
    ...["-q", "udpsrc", `address=${host}`, `port=${input}`, "buffer-size=4000000"],
    "caps=video/mpegts,packetsize=188,systemstream=true",
    ...["!", "rtpmp2tpay", "mtu=1400", "!", "ristsink", "sender-buffer=2000"],
    ...(proxies.length === 1
      ? [`address=${host}`, `port=${proxies[0]!.port}`]
      : [
          `bonding-addresses=${proxies.map((proxy) => `${host}:${proxy.port}`).join(",")}`,
          "bonding-method=round-robin",
        ]),
  ]);
}

function queryOf(options: LiveRunOptions, secret: string | undefined, isCaller: boolean): string {
  const parts = [`buffer=${options.bufferMs}`];
  if (isCaller && options.srp) {
    parts.push(`username=${options.srp.username}`, `password=${options.srp.password}`);
  }
  if (secret) parts.push(`secret=${secret}`, `aes-type=${options.aesBits ?? 128}`);
  return parts.join("&");
}
