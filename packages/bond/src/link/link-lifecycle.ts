/** Where a link stands. */
export type LinkState = "init" | "probe" | "warm" | "live" | "degrade" | "cooldown" | "reset";

/** Thresholds and times of the life cycle; all times in milliseconds, ratios from 0 to 1. */
export interface LifecycleOptions {
  /** Echo responses that lead from probe to warm. */
  readonly probeResponses: number;
  readonly warmMs: number;
  readonly degradeAfterMs: number;
  readonly recoverAfterMs: number;
  readonly cooldownAfterMs: number;
  readonly cooldownMs: number;
  readonly cooldownMaxMs: number;
  /** Live this long forgets repeated cooldowns. */
  readonly forgetAfterMs: number;
  /** Least silence that resets a link; four round trips if that is longer. */
  readonly resetAfterMs: number;
  readonly maxLoss: number;
  readonly maxQueueMs: number;
  readonly maxRttMs: number;
  /** Jitter allowed, as a part of the receiver's buffer. */
  readonly maxJitterOfBuffer: number;
}

export const defaultLifecycle: LifecycleOptions = {
  probeResponses: 3,
  warmMs: 1000,
  degradeAfterMs: 300,
  recoverAfterMs: 500,
  cooldownAfterMs: 1000,
  cooldownMs: 2000,
  cooldownMaxMs: 30_000,
  forgetAfterMs: 60_000,
  resetAfterMs: 500,
  maxLoss: 0.2,
  maxQueueMs: 200,
  maxRttMs: 500,
  maxJitterOfBuffer: 0.5,
};

/** What is known about a link at one moment. */
export interface LinkSignals {
  readonly rttUs: number;
  readonly queueUs: number;
  readonly jitterUs: number;
  readonly loss: number;
  readonly bufferMs: number;
  /** Time since the peer last proved that this link carries packets. */
  readonly proofAgeUs: number;
  /** Echo responses since the link was (re)attached. */
  readonly responses: number;
}

/** The last change of state, for statistics and events. */
export interface LinkTransition {
  readonly from: LinkState;
  readonly to: LinkState;
  readonly cause: string;
  readonly atUs: number;
}

/**
 * Life cycle of one link as a machine in time: conditions must hold for a duration, not for a number of samples, and the
 * thresholds for becoming good are half of those for becoming bad, so that a link at the border does not flap.
 */
export class LinkLifecycle {
  readonly #options: LifecycleOptions;
  #state: LinkState = "init";
  #enteredUs = 0;
  #badSinceUs = -1;
  #goodSinceUs = -1;
  #repeats = 0;
  #liveSinceUs = -1;
  lastTransition: LinkTransition | undefined;

  constructor(options: LifecycleOptions, nowUs: number) {
    this.#options = options;
    this.#enteredUs = nowUs;
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Time of the last transition. */
  get enteredUs(): number {
    return this.#enteredUs;
  }

  /** The socket is bound and the first feedback packet went out. */
  attach(nowUs: number): void {
    if (this.#state === "init" || this.#state === "reset") this.#go("probe", "attached", nowUs);
  }

  /** The link is gone at once: socket error, interface down, address change. */
  detach(cause: string, nowUs: number): void {
    if (this.#state !== "reset") this.#go("reset", cause, nowUs);
  }

  /** Judges the link; returns true if its state changed. Call it every 10 to 100 ms. */
  update(signals: LinkSignals, nowUs: number): boolean {
    const before = this.#state;
    const cause = this.#badCause(signals);
    if (cause === undefined) this.#badSinceUs = -1;
    else if (this.#badSinceUs < 0) this.#badSinceUs = nowUs;
    if (!this.#isGood(signals)) this.#goodSinceUs = -1;
    else if (this.#goodSinceUs < 0) this.#goodSinceUs = nowUs;
    this.#step(signals, cause ?? "", nowUs);
    return this.#state !== before;
  }

  #step(signals: LinkSignals, cause: string, nowUs: number): void {
    const o = this.#options;
    const state = this.#state;
    const badMs = this.#badSinceUs < 0 ? -1 : (nowUs - this.#badSinceUs) / 1000;
    const goodMs = this.#goodSinceUs < 0 ? -1 : (nowUs - this.#goodSinceUs) / 1000;
    const inStateMs = (nowUs - this.#enteredUs) / 1000;
    const silentUs = Math.max(4 * signals.rttUs, o.resetAfterMs * 1000);
    if (state === "init" || state === "reset") return;
    if (state !== "probe" && signals.proofAgeUs > silentUs) this.#go("reset", "no proof", nowUs);
    else if (state === "probe") {
      if (signals.responses >= o.probeResponses) this.#go("warm", "answers", nowUs);
    } else if (state === "warm" || state === "live") {
      if (badMs >= o.degradeAfterMs) this.#go("degrade", cause, nowUs);
      else if (state === "warm" && goodMs >= o.warmMs && inStateMs >= o.warmMs)
        this.#go("live", "good", nowUs);
      else if (state === "live" && nowUs - this.#liveSinceUs > o.forgetAfterMs * 1000) this.#repeats = 0;
    } else if (state === "degrade") {
      if (goodMs >= o.recoverAfterMs && inStateMs >= o.recoverAfterMs) this.#go("warm", "good again", nowUs);
      else if (badMs >= o.cooldownAfterMs && inStateMs >= o.cooldownAfterMs)
        this.#go("cooldown", cause, nowUs);
    } else if (state === "cooldown") {
      const waitMs = Math.min(o.cooldownMaxMs, o.cooldownMs * 2 ** Math.min(10, this.#repeats - 1));
      if (inStateMs >= waitMs) this.#go("probe", "cooled down", nowUs);
    }
  }

  #go(to: LinkState, cause: string, nowUs: number): void {
    this.lastTransition = { from: this.#state, to, cause, atUs: nowUs };
    this.#state = to;
    this.#enteredUs = nowUs;
    this.#badSinceUs = -1;
    this.#goodSinceUs = -1;
    if (to === "cooldown") this.#repeats++;
    if (to === "live") this.#liveSinceUs = nowUs;
  }

  #badCause(s: LinkSignals): string | undefined {
    const o = this.#options;
    if (s.loss > o.maxLoss) return "loss";
    if (s.queueUs > o.maxQueueMs * 1000) return "queue delay";
    if (s.rttUs > o.maxRttMs * 1000) return "round trip";
    if (s.jitterUs > o.maxJitterOfBuffer * s.bufferMs * 1000) return "jitter";
    return undefined;
  }

  #isGood(s: LinkSignals): boolean {
    const o = this.#options;
    return (
      s.loss < o.maxLoss / 2 &&
      s.queueUs < (o.maxQueueMs * 1000) / 2 &&
      s.rttUs < o.maxRttMs * 1000 &&
      s.jitterUs < (o.maxJitterOfBuffer * s.bufferMs * 1000) / 2
    );
  }
}
