import type { Receiver, Sender, SenderLinkStats } from "@longwave/bond";
import type { ImpairedPath } from "@longwave/netsim";
import { StationError } from "../errors.ts";
import { blockFrames, stationChannels, stationRateHz } from "../sound.ts";
import type { SoundPath } from "../stages.ts";
import { type ArrivalEvent, ArrivalWatch, type SoundArrival } from "./arrival-watch.ts";
import type { BlockCodec } from "./block-codec.ts";
import { type LinkHistory, LinkRecords } from "./link-history.ts";

/** A link of the bond as the station sees it: its name, and the impairment that it is put through. */
export interface StationLink {
  readonly id: string;
  readonly name: string;
  readonly forward: ImpairedPath;
  readonly backward: ImpairedPath;
}

/** Phases of a link, see docs/design/bond.md. */
export type LinkPhase = SenderLinkStats["phase"];

/** State of one link. Rates in bit/s, times in ms, ratios 0 to 1. */
export interface LinkStatus {
  readonly id: string;
  readonly name: string;
  readonly cut: boolean;
  readonly alive: boolean;
  /** Where it is in its life: init, probe, warm, live, degrade, cooldown, reset. */
  readonly phase: LinkPhase;
  readonly delayMs: number;
  /** Loss that the impairment is set to, and loss that the sender measures. */
  readonly setLoss: number;
  readonly loss: number;
  readonly rttMs: number | null;
  readonly sentBps: number;
  readonly share: number;
  readonly weight: number;
  readonly retransmissions: number;
}

/** State of the bond. */
export interface BondStatus {
  readonly codec: string;
  readonly bufferMs: number;
  readonly delivered: number;
  readonly recovered: number;
  readonly lost: number;
  readonly concealedBlocks: number;
  readonly arrival: SoundArrival;
  readonly links: readonly LinkStatus[];
}

/** A change of one link; what is left out stays. */
export interface LinkChange {
  readonly cut?: boolean;
  /** Share in the scheduler, 0 to 1000. */
  readonly weight?: number;
  /** One way, 0 to 2000. */
  readonly delayMs?: number;
  /** Mean loss, 0 to 0.9, in bursts. */
  readonly loss?: number;
}

export interface BondedPathParts {
  readonly codec: BlockCodec;
  /** Made with `firstSequence: 0`. */
  readonly sender: Sender;
  readonly receiver: Receiver;
  readonly links: readonly StationLink[];
  readonly bufferMs: number;
  /** Closes what carries the links (sockets, proxies). */
  readonly close?: () => void;
  /**
   * Told of losses: of one on its own once there is sound again (or the path is closed), of an outage after a second, and of losses that
   * keep coming twice, when that is clear and when there were none for 10 s.
   */
  readonly onArrival?: (event: ArrivalEvent) => void;
  /**
   * When a sample frame is played, in microseconds: the media time on the wire. It must follow the receiver's clock: where a busy
   * studio gives time up, counting frames alone would make everything late for good. By default the frames are counted.
   */
  readonly playedAtUs?: (startFrame: number) => number;
  /** Told of every packet that is sent, valid during the call, with its media time and the first frame of its block. */
  readonly onSent?: (packet: Uint8Array, timeUs: number, startFrame: number) => void;
  /**
   * Told of every block in order, before it is handed on: its packet (undefined where it was lost; codecs with one packet a block
   * only) and its sound. Both are valid during the call.
   */
  readonly onBlock?: (packet: Uint8Array | undefined, block: Float32Array, startFrame: number) => void;
}

/**
 * The receiver says what is lost by going on behind it. Where it says nothing any more, all links being dead, a block is given up
 * this long after the buffer: delay of the links, a thread that was kept waiting, and the burst of blocks that it then sends.
 */
const slackMs = 4200;
/** A receiver whose clock began late (a machine that was busy at the start) may be later by this much for good. */
const maxAllowanceBlocks = 150;
/** Blocks from one sample of the links to the next: 1 s. */
const blocksBetweenSamples = 50;
/** Mean length of a burst of losses, in packets; longer where so much is lost that between bursts there is hardly a packet. */
const meanBurst = 4;

/**
 * Carries blocks over several links at once by RIST. What comes out is gapless: a block that cannot be had in time is
 * concealed and counted.
 */
export class BondedPath implements SoundPath {
  readonly #parts: BondedPathParts;
  readonly #block = new Float32Array(blockFrames * stationChannels);
  readonly #lossOf = new Map<string, number>();
  readonly #records = new LinkRecords(blocksBetweenSamples * 20);
  #handler: (block: Float32Array, startFrame: number) => void = () => {};
  /** Next block to hand out; undefined until the first packet came. */
  #next: number | undefined;
  #building = -1;
  #partsHere = 0;
  #lastPacket = 0;
  #concealed = 0;
  readonly #watch: ArrivalWatch;
  readonly #takePacket = (packet: Uint8Array): void => {
    this.#parts.sender.send(packet, this.#sendTimeUs);
    this.#parts.onSent?.(packet, this.#sendTimeUs, this.#sendFrame);
  };
  #sendTimeUs = 0;
  #sendFrame = 0;
  #sentBlocks = 0;
  /** Blocks by which the receiver is later than it should be. */
  #allowance = 0;

  constructor(parts: BondedPathParts) {
    this.#parts = parts;
    this.#watch = new ArrivalWatch((event) => parts.onArrival?.(event));
    for (const { id, forward } of parts.links) this.#lossOf.set(id, meanLoss(forward));
    parts.receiver.onPacket((bytes, start, end, info) => this.#receive(bytes, start, end, info.sequence));
  }

  onReceive(handler: (block: Float32Array, startFrame: number) => void): void {
    this.#handler = handler;
  }

  send(block: Float32Array, startFrame: number): void {
    this.#sendTimeUs = this.#parts.playedAtUs?.(startFrame) ?? Math.round((startFrame * 1e6) / stationRateHz);
    this.#sendFrame = startFrame;
    this.#parts.codec.encode(block, this.#takePacket);
    const sent = startFrame / blockFrames + 1;
    this.#sentBlocks = sent;
    const due = sent - this.#patienceBlocks;
    // Overdue although nothing came behind it.
    if (this.#next !== undefined) this.#concealUntil(due, false);
    if (sent % blocksBetweenSamples === 0) this.#records.add(this.status().links);
  }

  /** What the links did in the last five minutes of sound. */
  history(): LinkHistory {
    return this.#records.read();
  }

  status(): BondStatus {
    const { codec, sender, receiver, links, bufferMs } = this.#parts;
    const sending = sender.stats();
    const receiving = receiver.stats();
    return {
      codec: codec.name,
      bufferMs,
      delivered: receiving.delivered,
      recovered: receiving.recovered,
      lost: receiving.lost,
      concealedBlocks: this.#concealed,
      arrival: this.#watch.status,
      links: links.map(({ id, name, forward }) => {
        const link = sending.links.find((each) => each.id === id);
        return {
          id,
          name,
          cut: forward.model.isUp === false,
          alive: link?.alive ?? false,
          phase: link?.phase ?? "init",
          delayMs: forward.model.delayMs ?? 0,
          setLoss: this.#lossOf.get(id) ?? 0,
          loss: link?.loss ?? 0,
          rttMs: link !== undefined && Number.isFinite(link.rttMs) && link.rttMs > 0 ? link.rttMs : null,
          sentBps: link?.observedBps ?? 0,
          share: link?.share ?? 0,
          weight: link?.weight ?? 0,
          retransmissions: link?.retransmissions ?? 0,
        };
      }),
    };
  }

  /** Blocks that were sent and neither arrived nor were given up. */
  get pendingBlocks(): number {
    return this.#sentBlocks - (this.#next ?? 0);
  }

  /** Changes a link from the next packet on. @throws StationError `station/no-link`, `station/bad-option` */
  changeLink(id: string, change: LinkChange): void {
    const link = this.#parts.links.find((each) => each.id === id);
    if (link === undefined) {
      const ids = this.#parts.links.map((each) => each.id).join(", ");
      throw new StationError(
        "station/no-link",
        "usage",
        `There is no link ${JSON.stringify(id)}; there are ${ids}.`,
      );
    }
    requireRange("weight", change.weight, 0, 1000);
    requireRange("delayMs", change.delayMs, 0, 2000);
    requireRange("loss", change.loss, 0, 0.9);
    if (change.cut !== undefined && typeof change.cut !== "boolean") {
      throw new StationError("station/bad-option", "usage", "cut must be true or false.");
    }
    if (change.weight !== undefined) this.#parts.sender.tune(id, { weight: change.weight });
    if (change.loss !== undefined) this.#lossOf.set(id, change.loss);
    for (const direction of [link.forward, link.backward]) {
      direction.set({
        ...(change.cut !== undefined && { isUp: !change.cut }),
        ...(change.delayMs !== undefined && { delayMs: change.delayMs }),
      });
    }
    if (change.loss !== undefined) link.forward.set({ loss: lossModel(change.loss) });
  }

  async close(): Promise<void> {
    this.tellConcealed();
    this.#parts.sender.close();
    this.#parts.receiver.close();
    this.#parts.close?.();
  }

  #receive(bytes: Uint8Array, start: number, end: number, sequence: number): void {
    const { codec } = this.#parts;
    // Only the low 16 bits are on the wire; the number is the one nearest to the last.
    const packet = Math.max(0, this.#lastPacket + (((sequence - this.#lastPacket) << 16) >> 16));
    this.#lastPacket = packet;
    const index = Math.floor(packet / codec.packetsPerBlock);
    const part = packet % codec.packetsPerBlock;
    if (this.#next === undefined) {
      if (part !== 0) return;
      this.#next = index;
      this.#allow(index);
    }
    if (index < this.#next) {
      this.#allow(index);
      return;
    }
    this.#concealUntil(index, true);
    this.#watch.arrived(index);
    if (this.#building !== index) {
      this.#building = index;
      this.#partsHere = 0;
    }
    if (!codec.decode(bytes, start, end, part, this.#block)) return;
    if (++this.#partsHere < codec.packetsPerBlock) return;
    this.#deliver(codec.packetsPerBlock === 1 ? bytes.subarray(start, end) : undefined);
  }

  get #patienceBlocks(): number {
    return Math.ceil((this.#parts.bufferMs + slackMs) / 20) + this.#allowance;
  }

  /** A packet came after its block was given up: from now on blocks are given up later. */
  #allow(index: number): void {
    const late = this.#sentBlocks - index - this.#patienceBlocks;
    if (late >= 0) this.#allowance = Math.min(maxAllowanceBlocks, this.#allowance + late + 5);
  }

  #concealUntil(index: number, arrived: boolean): void {
    const from = this.#next!;
    if (from >= index) return;
    this.#concealed += index - from;
    for (let each = from; each < index; each++) {
      this.#parts.codec.conceal(this.#block);
      this.#deliver(undefined);
    }
    this.#watch.missed(from, index, arrived);
  }

  /** Tells what was concealed and not told yet: of an outage that lasts as well. */
  tellConcealed(): void {
    if (this.#next !== undefined) this.#watch.flush(this.#next);
  }

  #deliver(packet: Uint8Array | undefined): void {
    const index = this.#next!;
    this.#next = index + 1;
    this.#building = -1;
    this.#parts.onBlock?.(packet, this.#block, index * blockFrames);
    this.#handler(this.#block, index * blockFrames);
  }
}

/** Loss in bursts with this mean, 0 to 0.9. */
export function lossModel(mean: number): number | { toBad: number; toGood: number } {
  if (mean === 0) return 0;
  const odds = mean / (1 - mean);
  const burst = Math.max(meanBurst, odds);
  return { toGood: 1 / burst, toBad: Math.min(1, odds / burst) };
}

function meanLoss({ model }: ImpairedPath): number {
  if (model.loss === undefined || typeof model.loss === "number") return model.loss ?? 0;
  return model.loss.toBad / (model.loss.toBad + model.loss.toGood);
}

function requireRange(name: string, value: number | undefined, low: number, high: number): void {
  if (value === undefined || (typeof value === "number" && value >= low && value <= high)) return;
  throw new StationError("station/bad-option", "usage", `${name} must be ${low} to ${high}, not ${value}.`);
}
