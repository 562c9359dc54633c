import { SystemClock } from "@longwave/base/node";
import type { ReceiverStats, SenderStats } from "@longwave/bond";
import { createReceiver, createSender, UdpSocket } from "@longwave/bond/node";
import {
  type LinkModel,
  type TestStreamReport,
  TestStreamSink,
  testPayloadBytes,
  writeTestPayload,
} from "@longwave/netsim";
import { UdpProxy } from "@longwave/netsim/node";
import { PeerProcess } from "./peer-process.ts";

/** Who plays a role. */
export type Peer = "own" | "librist" | "gstreamer";

export interface LiveRunOptions {
  readonly sender: Peer;
  readonly receiver: Peer;
  readonly profile: "simple" | "main";
  readonly links: readonly {
    readonly forward: LinkModel;
    readonly backward: LinkModel;
    readonly weight?: number;
  }[];
  readonly bufferMs: number;
  readonly bitrateBps: number;
  readonly seconds: number;
  readonly warmupSeconds?: number;
  readonly secret?: string;
  /** Of the receiver, where it differs. */
  readonly receiverSecret?: string;
  readonly aesBits?: 128 | 256;
  /** Receiver calls, sender waits (Main profile). */
  readonly isSwapped?: boolean;
  /** Removes null packets; the test stream then has some. */
  readonly hasNulls?: boolean;
  readonly seed?: number;
  /** Something to do during the run. */
  readonly actions?: readonly { readonly atSeconds: number; run(proxies: readonly UdpProxy[]): void }[];
}

export interface LiveRunReport {
  readonly stream: TestStreamReport;
  /** Bytes towards the receiver with IP and UDP headers per payload byte. */
  readonly forward: number;
  readonly backward: number;
  /** CPU milliseconds per megabit of payload of the peers; NaN for our own side, which shares the process. */
  readonly senderCpu: number;
  readonly receiverCpu: number;
  readonly ownSender: SenderStats | undefined;
  readonly ownReceiver: ReceiverStats | undefined;
  readonly peerOutput: string;
  /** Payloads whose bytes were not those that were sent. */
  readonly damaged: number;
}

const host = "127.0.0.1";
let nextPort = 42_000;

/** A fresh even port with room for the next ones. */
function takePort(): number {
  nextPort += 8;
  return nextPort;
}

/** One stream over real sockets, through one impairment proxy per link. */
export async function liveRun(options: LiveRunOptions): Promise<LiveRunReport> {
  const clock = new SystemClock();
  const warmup = options.warmupSeconds ?? 3;
  const packetUs = (testPayloadBytes * 8e6) / options.bitrateBps;
  const total = Math.floor(((warmup + options.seconds) * 1e6) / packetUs);
  const sink = new TestStreamSink(Math.floor((warmup * 1e6) / packetUs), total);
  const target = takePort();
  const hasPair = options.profile === "simple";
  // GStreamer takes one source from two addresses for a loop: it wants a port of its own for every link.
  const targets = options.links.map((_, index) =>
    index > 0 && options.receiver === "gstreamer" ? takePort() : target,
  );
  const proxies = await Promise.all(
    options.links.map((link, index) =>
      UdpProxy.open({
        port: takePort(),
        targetPort: targets[index]!,
        hasPair,
        // Roles swapped: the caller is the receiver, so media flows towards the proxy's client.
        forward: options.isSwapped ? link.backward : link.forward,
        backward: options.isSwapped ? link.forward : link.backward,
        seed: (options.seed ?? 1) * 100 + index,
      }),
    ),
  );
  const forwardPaths = proxies.map((proxy) => (options.isSwapped ? proxy.backward : proxy.forward));
  const backwardPaths = proxies.map((proxy) => (options.isSwapped ? proxy.forward : proxy.backward));
  let damaged = 0;
  const onPayload = (bytes: Uint8Array, start: number, end: number) => {
    if (end - start !== testPayloadBytes || bytes[start] !== 0x47 || !isIntact(bytes, start)) damaged++;
    else sink.take(bytes, start, clock.nowUs());
  };
  const receiver = await startReceiver(options, targets, proxies, onPayload);
  await pause(400);
  const sender = await startSender(options, target, proxies);
  // librist drops what comes before its handshake.
  await pause(900);
  const payload = new Uint8Array(testPayloadBytes);
  const startUs = clock.nowUs();
  const pending = [...(options.actions ?? [])];
  let sent = 0;
  let atWarmup = { forward: 0, backward: 0, sender: 0, receiver: 0 };
  let isWarm = false;
  await new Promise<void>((resolve) => {
    const step = () => {
      const nowUs = clock.nowUs();
      for (; sent < total && startUs + sent * packetUs <= nowUs; sent++) {
        fillPayload(payload, sent, nowUs, options.hasNulls === true);
        sender.send(payload);
      }
      if (!isWarm && nowUs - startUs >= warmup * 1e6) {
        isWarm = true;
        atWarmup = {
          forward: sum(forwardPaths),
          backward: sum(backwardPaths),
          sender: sender.cpu(),
          receiver: receiver.cpu(),
        };
      }
      while (pending[0] !== undefined && nowUs - startUs >= pending[0].atSeconds * 1e6)
        pending.shift()!.run(proxies);
      if (sent >= total) resolve();
      else setTimeout(step, 1);
    };
    step();
  });
  const atEnd = {
    forward: sum(forwardPaths),
    backward: sum(backwardPaths),
    sender: sender.cpu(),
    receiver: receiver.cpu(),
  };
  await pause(options.bufferMs * 1.5 + 700);
  const ownSender = sender.stats?.();
  const ownReceiver = receiver.stats?.();
  await sender.close();
  await receiver.close();
  for (const proxy of proxies) proxy.close();
  const stream = sink.report();
  const payloadBytes = stream.sent * testPayloadBytes;
  const megabits = (payloadBytes * 8) / 1e6;
  return {
    stream,
    forward: (atEnd.forward - atWarmup.forward) / payloadBytes,
    backward: (atEnd.backward - atWarmup.backward) / payloadBytes,
    senderCpu: (1000 * (atEnd.sender - atWarmup.sender)) / megabits,
    receiverCpu: (1000 * (atEnd.receiver - atWarmup.receiver)) / megabits,
    ownSender,
    ownReceiver,
    peerOutput: `${sender.output()}\n${receiver.output()}`,
    damaged,
  };
}

interface RunningSender {
  send(payload: Uint8Array): void;
  cpu(): number;
  stats?(): SenderStats;
  output(): string;
  close(): Promise<void>;
}

interface RunningReceiver {
  cpu(): number;
  stats?(): ReceiverStats;
  output(): string;
  close(): Promise<void>;
}

async function startReceiver(
  options: LiveRunOptions,
  targets: readonly number[],
  proxies: readonly UdpProxy[],
  onPayload: (bytes: Uint8Array, start: number, end: number) => void,
): Promise<RunningReceiver> {
  const target = targets[0]!;
  const secret = options.receiverSecret ?? options.secret;
  if (options.receiver === "own") {
    const receiver = createReceiver({
      profile: options.profile,
      bufferMs: options.bufferMs,
      listen: options.isSwapped
        ? proxies.map((proxy) => `rist://${host}:${proxy.port}`)
        : `rist://@${host}:${target}`,
      ...(secret ? { secret } : {}),
      ...(options.aesBits ? { aesBits: options.aesBits } : {}),
    });
    await receiver.ready;
    receiver.onPacket((bytes, start, end) => onPayload(bytes, start, end));
    return {
      cpu: () => Number.NaN,
      stats: () => receiver.stats(),
      output: () => "",
      close: async () => receiver.close(),
    };
  }
  const output = takePort();
  const socket = new UdpSocket({ address: host, port: output });
  await socket.ready;
  socket.onMessage((bytes, length) => {
    for (let at = 0; at + testPayloadBytes <= length; at += testPayloadBytes)
      onPayload(bytes, at, at + testPayloadBytes);
  });
  const peer =
    options.receiver === "librist"
      ? new PeerProcess("ristreceiver", [
          ...["-p", options.profile === "simple" ? "0" : "1", "-v", "6", "-S", "0"],
          "-i",
          options.isSwapped
            ? proxies.map((proxy) => `rist://${host}:${proxy.port}?${query(options, secret)}`).join(",")
            : `rist://@${host}:${target}?${query(options, secret)}`,
          ...["-o", `udp://${host}:${output}`],
        ])
      : new PeerProcess("gst-launch-1.0", [
          ...["-q", "ristsrc", `receiver-buffer=${options.bufferMs}`],
          ...(targets.length === 1
            ? [`address=${host}`, `port=${target}`]
            : [`bonding-addresses=${targets.map((each) => `${host}:${each}`).join(",")}`]),
          ...["!", "rtpmp2tdepay", "!", "udpsink", `host=${host}`, `port=${output}`, "sync=false"],
        ]);
  return {
    cpu: () => peer.cpuSeconds(),
    output: () => peer.output,
    close: async () => {
      await peer.stop();
      socket.close();
    },
  };
}

async function startSender(
  options: LiveRunOptions,
  target: number,
  proxies: readonly UdpProxy[],
): Promise<RunningSender> {
  const { secret } = options;
  if (options.sender === "own") {
    const sender = createSender({
      profile: options.profile,
      bufferMs: options.bufferMs,
      links: options.isSwapped
        ? [{ to: `rist://@${host}:${target}` }]
        : proxies.map((proxy, index) => ({
            to: `rist://${host}:${proxy.port}`,
            id: `link-${index + 1}`,
          })),
      ...(secret ? { secret } : {}),
      ...(options.aesBits ? { aesBits: options.aesBits } : {}),
      ...(options.hasNulls ? { deleteNullPackets: true } : {}),
    });
    await sender.ready;
    return {
      send: (payload) => sender.send(payload),
      cpu: () => Number.NaN,
      stats: () => sender.stats(),
      output: () => "",
      close: async () => sender.close(),
    };
  }
  const input = takePort();
  const socket = new UdpSocket({ address: host, port: 0, peer: { address: host, port: input } });
  await socket.ready;
  socket.onError(() => undefined);
  const urls = options.isSwapped
    ? `rist://@${host}:${target}?${query(options, secret)}`
    : proxies
        .map(
          (proxy, index) =>
            `rist://${host}:${proxy.port}?${query(options, secret)}&weight=${options.links[index]?.weight ?? 5}`,
        )
        .join(",");
  const peer =
    options.sender === "librist"
      ? new PeerProcess("ristsender", [
          ...["-p", options.profile === "simple" ? "0" : "1", "-v", "6", "-S", "0"],
          ...(options.hasNulls ? ["-n"] : []),
          ...["-i", `udp://@${host}:${input}`, "-o", urls],
        ])
      : new PeerProcess("gst-launch-1.0", [
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
  return {
    send: (payload) => void socket.send(payload, 0, payload.length, host, input),
    cpu: () => peer.cpuSeconds(),
    output: () => peer.output,
    close: async () => {
      await peer.stop();
      socket.close();
    },
  };
}

function query(options: LiveRunOptions, secret: string | undefined): string {
  const parts = [`buffer=${options.bufferMs}`];
  if (secret) parts.push(`secret=${secret}`, `aes-type=${options.aesBits ?? 128}`);
  return parts.join("&");
}

/** Seven transport stream packets: number, time, then bytes that follow from the number; some of them null packets. */
function fillPayload(payload: Uint8Array, number: number, nowUs: number, hasNulls: boolean): void {
  writeTestPayload(payload, number, nowUs);
  for (let packet = 0; packet < 7; packet++) {
    const at = packet * 188;
    const isNull = hasNulls && packet > 0 && (number + packet) % 3 === 0;
    if (packet > 0) {
      payload[at + 1] = isNull ? 0x1f : 0x01;
      payload[at + 2] = isNull ? 0xff : 0x00;
      payload[at + 3] = 0x10;
    }
    payload.fill(isNull ? 0xff : (number + packet) & 0xff, at + (packet > 0 ? 4 : 20), at + 188);
  }
}

/** The pattern behind the numbers is as it was written. */
function isIntact(bytes: Uint8Array, start: number): boolean {
  const number = bytes[start + 20]!;
  for (let packet = 1; packet < 7; packet++) {
    const at = start + packet * 188;
    if (bytes[at] !== 0x47) return false;
    const isNull = bytes[at + 1] === 0x1f && bytes[at + 2] === 0xff;
    const value = isNull ? 0xff : (number + packet) & 0xff;
    for (let i = 4; i < 188; i++) if (bytes[at + i] !== value) return false;
  }
  return true;
}

function sum(paths: readonly { readonly counters: { readonly offeredBytes: number } }[]): number {
  return paths.reduce((total, path) => total + path.counters.offeredBytes, 0);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
