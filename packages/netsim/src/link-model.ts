import { NetsimError } from "./errors.ts";

/**
 * Bursty loss (Gilbert 1960, Elliott 1963): a two-state chain, stepped once per packet.
 */
export interface GilbertElliott {
  /** Probability per packet of going from the good to the bad state. */
  readonly toBad: number;
  /** Probability per packet of going back; 1 / mean burst length. */
  readonly toGood: number;
  /** Loss in the bad state; default 1. */
  readonly lossInBad?: number;
  /** Loss in the good state; default 0. */
  readonly lossInGood?: number;
}

/** The chain whose bursts have `meanBurst` packets and whose mean loss is `loss` (0 to below 1). */
export function burstLoss(loss: number, meanBurst: number): GilbertElliott {
  const toGood = 1 / meanBurst;
  return { toBad: (toGood * loss) / (1 - loss), toGood };
}

/** What one direction of a link does to packets. Every field can be changed while packets are under way. */
export interface LinkModel {
  /** Propagation delay in milliseconds; default 0. */
  readonly delayMs?: number;
  /** Extra delay, uniform from 0 to this; default 0. */
  readonly jitterMs?: number;
  /** False lets jitter overtake earlier packets; default true. */
  readonly keepsOrder?: boolean;
  /** Loss probability, or bursty loss; default 0. */
  readonly loss?: number | GilbertElliott;
  /** Bottleneck in bits per second, counting 28 bytes of IP and UDP header a packet; default none. */
  readonly rateBps?: number | undefined;
  /** Longest wait in the bottleneck's drop-tail queue in milliseconds; default 200. */
  readonly queueMs?: number;
  /** Probability that a packet arrives twice; default 0. */
  readonly duplicate?: number;
  /** Probability that a packet is held back by `reorderMs`; default 0. */
  readonly reorder?: number;
  /** Default 10. */
  readonly reorderMs?: number;
  /** Probability that one bit of a packet flips; default 0. */
  readonly corrupt?: number;
  /** Largest IP packet; larger ones vanish; default none. */
  readonly mtu?: number | undefined;
  /** False drops everything: the link is cut; default true. */
  readonly isUp?: boolean;
}

/** @throws NetsimError `netsim/bad-model` naming the first field that is out of range */
export function checkModel(model: LinkModel): void {
  atLeastZero("delayMs", model.delayMs, 600_000);
  atLeastZero("jitterMs", model.jitterMs, 600_000);
  atLeastZero("queueMs", model.queueMs, 600_000);
  atLeastZero("reorderMs", model.reorderMs, 600_000);
  for (const field of ["duplicate", "reorder", "corrupt"] as const) atLeastZero(field, model[field], 1);
  if (typeof model.loss === "number") atLeastZero("loss", model.loss, 1);
  else if (model.loss !== undefined) {
    for (const field of ["toBad", "toGood", "lossInBad", "lossInGood"] as const) {
      atLeastZero(`loss.${field}`, model.loss[field], 1);
    }
  }
  if (model.rateBps !== undefined && !(model.rateBps >= 1)) {
    throw new NetsimError("netsim/bad-model", "usage", `rateBps is ${model.rateBps}; it must be at least 1.`);
  }
}

function atLeastZero(field: string, value: number | undefined, most: number): void {
  if (value === undefined || (value >= 0 && value <= most)) return;
  throw new NetsimError("netsim/bad-model", "usage", `${field} is ${value}; it must be from 0 to ${most}.`);
}
