import { SystemClock } from "@longwave/base/node";
import { type TestStreamReport, TestStreamSink, testPayloadBytes, writeTestPayload } from "@longwave/netsim";
import { UdpProxy } from "@longwave/netsim/node";
import type { LiveRunOptions } from "./live-options.ts";
import { startReceiver, startSender, takePort } from "./live-peers.ts";

export interface LiveRunReport {
  readonly stream: TestStreamReport;
  /** Bytes towards the receiver with IP and UDP headers per payload byte. */
  readonly forward: number;
  readonly backward: number;
  /** CPU milliseconds per megabit of payload of each end. */
  readonly senderCpu: number;
  readonly receiverCpu: number;
  /** Longest pause of this process, in milliseconds: a run with a long one says little about the ends. */
  readonly stallMs: number;
  /** Resident memory of each end at the end, in megabytes. */
  readonly senderRssMb: number;
  readonly receiverRssMb: number;
  readonly peerOutput: string;
  /** Payloads whose bytes were not those that were sent. */
  readonly damaged: number;
}

/** How long the stream goes on after the part that counts. */
const tailSeconds = 0.5;

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
  let atEnd = atWarmup;
  const measure = () => ({
    forward: sum(forwardPaths),
    backward: sum(backwardPaths),
    sender: sender.cpu(),
    receiver: receiver.cpu(),
  });
  // What follows the last packet that counts shows the receiver its loss, as in a stream that goes on.
  const tail = Math.ceil((tailSeconds * 1e6) / packetUs);
  let stallUs = 0;
  let lastUs = startUs;
  await new Promise<void>((resolve) => {
    const step = () => {
      const nowUs = clock.nowUs();
      stallUs = Math.max(stallUs, nowUs - lastUs);
      lastUs = nowUs;
      for (; sent < total + tail && startUs + sent * packetUs <= nowUs; sent++) {
        if (sent === total) atEnd = measure();
        fillPayload(payload, sent, nowUs, options.hasNulls === true);
        sender.send(payload);
      }
      if (!isWarm && nowUs - startUs >= warmup * 1e6) {
        isWarm = true;
        atWarmup = measure();
      }
      while (pending[0] !== undefined && nowUs - startUs >= pending[0].atSeconds * 1e6)
        pending.shift()!.run(proxies);
      if (sent >= total + tail) resolve();
      else setTimeout(step, 1);
    };
    step();
  });
  await pause(options.bufferMs * 1.5 + 700);
  const senderRssMb = sender.rssMb();
  const receiverRssMb = receiver.rssMb();
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
    senderRssMb,
    receiverRssMb,
    stallMs: Math.round(stallUs / 1000),
    peerOutput: `${sender.output()}\n${receiver.output()}`,
    damaged,
  };
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
