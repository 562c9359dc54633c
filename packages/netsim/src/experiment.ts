import { SeededRandom, VirtualClock } from "@longwave/base";
import {
  type BondEnvironment,
  createReceiver,
  createSender,
  type Receiver,
  type ReceiverOptions,
  type ReceiverStats,
  type Sender,
  type SenderLinkOptions,
  type SenderOptions,
  type SenderStats,
} from "@longwave/bond";
import { EventLog } from "./event-log.ts";
import type { LinkModel } from "./link-model.ts";
import { type TestStreamReport, TestStreamSink, testPayloadBytes, writeTestPayload } from "./test-stream.ts";
import { type VirtualLink, VirtualNetwork } from "./virtual-network.ts";

const receiverAddress = "10.0.9.1";
const port = 7000;
const maxCatchUp = 64;

/** One link of an experiment. */
export interface ExperimentLink {
  readonly forward: LinkModel;
  /** Default: delay of `forward`, nothing else. */
  readonly backward?: LinkModel;
  readonly sender?: Omit<SenderLinkOptions, "to">;
}

/** Something that happens at a time of the experiment. */
export interface ExperimentAction {
  readonly atMs: number;
  run(experiment: Experiment): void;
}

/** A stream over links in virtual time. */
export interface ExperimentOptions {
  readonly seed: number;
  readonly links: readonly ExperimentLink[];
  /** Payload rate of the stream in bits per second. */
  readonly bitrateBps: number;
  /** Default 1316. */
  readonly payloadBytes?: number;
  /** Length of the measured part; default 15,000. */
  readonly durationMs?: number;
  /** Left out at the start; default 3000. */
  readonly warmupMs?: number;
  readonly bufferMs: number;
  readonly sender?: Omit<SenderOptions, "links" | "bufferMs">;
  readonly receiver?: Omit<ReceiverOptions, "listen" | "bufferMs">;
  readonly actions?: readonly ExperimentAction[];
  /** Called every `sampleMs` of virtual time. */
  readonly onSample?: (experiment: Experiment, timeMs: number) => void;
  /** Default 100. */
  readonly sampleMs?: number;
}

/** What an experiment measured. */
export interface ExperimentReport {
  readonly stream: TestStreamReport;
  /** Bytes offered to the links towards the receiver, with IP and UDP headers, per payload byte, after warm-up. */
  readonly forward: number;
  /** Bytes offered towards the sender per payload byte. */
  readonly backward: number;
  readonly sender: SenderStats;
  readonly receiver: ReceiverStats;
  /** SHA-256 over every datagram's fate and every delivery. */
  readonly eventHash: string;
  readonly virtualMs: number;
}

/**
 * Sender, links and receiver on one virtual clock.
 *
 * ```ts
 * const report = new Experiment({ seed: 1, bitrateBps: 2e6, bufferMs: 500, links: [{ forward: { delayMs: 50, loss: 0.1 } }] }).run();
 * ```
 */
export class Experiment {
  readonly clock: VirtualClock = new VirtualClock();
  readonly network: VirtualNetwork;
  readonly links: readonly VirtualLink[];
  readonly log: EventLog = new EventLog();
  readonly #options: ExperimentOptions;
  readonly #sink: TestStreamSink;
  readonly #payload: Uint8Array;
  readonly #packetUs: number;
  readonly #totalPackets: number;
  readonly #random: SeededRandom;
  #sent = 0;
  #startUs = 0;
  #isStalled = false;
  #isResynchronizing = false;
  sender: Sender;
  receiver: Receiver;

  constructor(options: ExperimentOptions) {
    this.#options = options;
    this.network = new VirtualNetwork(this.clock, options.seed);
    this.#random = new SeededRandom(options.seed, 1_000_003);
    this.#payload = new Uint8Array(options.payloadBytes ?? testPayloadBytes);
    this.#packetUs = (this.#payload.length * 8e6) / options.bitrateBps;
    const warmupUs = 1000 * (options.warmupMs ?? 3000);
    const durationUs = 1000 * (options.durationMs ?? 15_000);
    this.#totalPackets = Math.floor((warmupUs + durationUs) / this.#packetUs);
    this.#sink = new TestStreamSink(Math.floor(warmupUs / this.#packetUs), this.#totalPackets);
    this.links = options.links.map((link, index) =>
      this.network.addLink(
        link.sender?.id ?? `link-${index + 1}`,
        `10.0.${index}.1`,
        receiverAddress,
        link.forward,
        link.backward ?? { delayMs: link.forward.delayMs ?? 0 },
      ),
    );
    this.network.observe((link, isForward, sentUs, arrivalUs, bytes, start, end) =>
      this.log.datagram(link, isForward, sentUs, arrivalUs, bytes, start, end),
    );
    this.receiver = this.makeReceiver();
    this.sender = this.makeSender();
  }

  /** A new receiver at the usual address, for restarts; close the old one first. */
  makeReceiver(): Receiver {
    const receiver = createReceiver(
      {
        ...this.#options.receiver,
        listen: `rist://@${receiverAddress}:${port}`,
        bufferMs: this.#options.bufferMs,
      },
      this.environment(),
    );
    receiver.onPacket((bytes, start, end, info) => {
      const nowUs = this.clock.nowUs();
      this.#sink.take(bytes, start, nowUs);
      this.log.delivery(nowUs, info.sequence, end - start);
    });
    return receiver;
  }

  /** A new sender over the same links, for restarts; close the old one first. */
  makeSender(): Sender {
    return createSender(
      {
        ...this.#options.sender,
        bufferMs: this.#options.bufferMs,
        links: this.#options.links.map((link, index) => ({
          ...link.sender,
          to: `rist://${receiverAddress}:${port}`,
          localAddress: `10.0.${index}.1`,
        })),
      },
      this.environment(),
    );
  }

  /** Clock, network and randomness of this experiment. */
  environment(): BondEnvironment {
    return {
      clock: this.clock,
      random: new SeededRandom(this.#random.nextU32(), this.#random.nextU32()),
      openSocket: (request) => this.network.openSocket(request.address, request.port),
    };
  }

  /** Stops the source for a while, as a stalled process would; afterwards it catches up at most 64 packets. */
  stallSource(isStalled: boolean): void {
    this.#isStalled = isStalled;
    this.#isResynchronizing = !isStalled;
  }

  run(): ExperimentReport {
    const { warmupMs = 3000, durationMs = 15_000, sampleMs = 100, onSample, actions = [] } = this.#options;
    this.#startUs = this.clock.nowUs();
    this.#scheduleSource();
    for (const action of actions) {
      this.clock.schedule(this.#startUs + 1000 * action.atMs, () => action.run(this));
    }
    let forwardAtWarmup = 0;
    let backwardAtWarmup = 0;
    const endMs = warmupMs + durationMs + 3 * this.#options.bufferMs + 1000;
    for (let timeMs = 0; timeMs < endMs; timeMs += sampleMs) {
      this.clock.runUntil(this.#startUs + 1000 * (timeMs + sampleMs));
      if (timeMs < warmupMs) {
        forwardAtWarmup = this.#offered("forward");
        backwardAtWarmup = this.#offered("backward");
      }
      if (timeMs < warmupMs + durationMs) onSample?.(this, timeMs + sampleMs);
    }
    const stream = this.#sink.report();
    const payload = stream.sent * this.#payload.length;
    const sender = this.sender.stats();
    const receiver = this.receiver.stats();
    const report = {
      stream,
      forward: (this.#offered("forward") - forwardAtWarmup) / payload,
      backward: (this.#offered("backward") - backwardAtWarmup) / payload,
      sender,
      receiver,
      eventHash: this.log.hash(),
      virtualMs: this.clock.nowUs() / 1000,
    };
    this.sender.close();
    this.receiver.close();
    return report;
  }

  #offered(direction: "forward" | "backward"): number {
    return this.links.reduce((sum, link) => sum + link[direction].counters.offeredBytes, 0);
  }

  #scheduleSource(): void {
    this.clock.schedule(this.#startUs + Math.floor(this.#sent * this.#packetUs), this.#onSource);
  }

  readonly #onSource = (): void => {
    const nowUs = this.clock.nowUs();
    if (this.#isStalled) {
      this.clock.schedule(nowUs + 1000, this.#onSource);
      return;
    }
    if (this.#isResynchronizing) {
      this.#isResynchronizing = false;
      const due = Math.floor((nowUs - this.#startUs) / this.#packetUs);
      this.#sent = Math.max(this.#sent, due - maxCatchUp);
    }
    if (this.#sent >= this.#totalPackets) return;
    writeTestPayload(this.#payload, this.#sent, nowUs);
    this.sender.send(this.#payload, nowUs);
    this.#sent++;
    this.#scheduleSource();
  };
}
