import { defaultLifecycle } from "../link/link-lifecycle.ts";
import { defaultScheduler } from "../sender/scheduler.ts";

/** One key of the configuration: its kind, range, default and meaning. One table gives types, defaults, docs and errors. */
export interface ConfigKey {
  readonly kind: "integer" | "number" | "text" | "boolean" | "choice";
  readonly least?: number;
  readonly most?: number;
  readonly choices?: readonly string[];
  readonly fallback: number | string | boolean | undefined;
  readonly description: string;
}

const integer = (
  least: number,
  most: number,
  fallback: number | undefined,
  description: string,
): ConfigKey => ({
  kind: "integer",
  least,
  most,
  fallback,
  description,
});
const number = (least: number, most: number, fallback: number, description: string): ConfigKey => ({
  kind: "number",
  least,
  most,
  fallback,
  description,
});
const text = (description: string): ConfigKey => ({ kind: "text", fallback: undefined, description });
const choice = (
  choices: readonly string[],
  fallback: string | undefined,
  description: string,
): ConfigKey => ({
  kind: "choice",
  choices,
  fallback,
  description,
});

/** Latency bounds in milliseconds that a profile stands for. */
export const latencyProfiles: Readonly<Record<string, { readonly min: number; readonly max: number }>> = {
  "low-latency": { min: 400, max: 1500 },
  broadcast: { min: 1500, max: 3000 },
  realtime: { min: 50, max: 800 },
};

/** Version of the configuration that this package writes. */
export const configVersion = 1;

/** Keys at the top level. */
export const topKeys: Readonly<Record<string, ConfigKey>> = {
  version: integer(0, configVersion, configVersion, "version of this file"),
  profile: choice(Object.keys(latencyProfiles), "low-latency", "bounds of the playout latency"),
};

/** Keys of every table, by table. */
export const configTables: Readonly<Record<string, Readonly<Record<string, ConfigKey>>>> = {
  rist: {
    profile: choice(["main", "simple"], "main", "RIST profile"),
    payload_type: integer(0, 127, 33, "RTP payload type"),
    secret: text("passphrase of the pre-shared key"),
    aes_bits: {
      kind: "integer",
      least: 128,
      most: 256,
      fallback: 128,
      description: "key length, 128 or 256",
    },
    srp_user: text("EAP-SRP: who we are where we call, who may call where we wait"),
    srp_password: text("password of srp_user"),
    srp_file: text("file of ristsrppasswd lines: who may call where we wait"),
    npd: { kind: "boolean", fallback: false, description: "remove null packets of transport streams" },
    cname: text("canonical name in RTCP"),
  },
  receiver: {
    listen: text("address to wait at, rist://@host:port"),
    start_latency_ms: integer(10, 60_000, 1000, "playout latency at the start"),
    min_latency_ms: integer(10, 60_000, undefined, "lower bound of an adaptive latency"),
    max_latency_ms: integer(10, 60_000, undefined, "upper bound of an adaptive latency"),
    max_buffer_bytes: integer(
      1_000_000,
      1_000_000_000,
      64_000_000,
      "limit of the memory for waiting packets",
    ),
  },
  lifecycle: {
    probe_responses: integer(1, 100, defaultLifecycle.probeResponses, "echo responses from probe to warm"),
    warm_ms: integer(0, 60_000, defaultLifecycle.warmMs, "good for so long: warm becomes live"),
    degrade_after_ms: integer(0, 60_000, defaultLifecycle.degradeAfterMs, "bad for so long: degrade"),
    recover_after_ms: integer(
      0,
      60_000,
      defaultLifecycle.recoverAfterMs,
      "good for so long: degrade becomes warm",
    ),
    cooldown_after_ms: integer(
      0,
      60_000,
      defaultLifecycle.cooldownAfterMs,
      "bad for so long again: cooldown",
    ),
    cooldown_ms: integer(
      0,
      600_000,
      defaultLifecycle.cooldownMs,
      "first cooldown; doubles with every repeat",
    ),
    cooldown_max_ms: integer(0, 600_000, defaultLifecycle.cooldownMaxMs, "longest cooldown"),
    forget_after_ms: integer(
      0,
      3_600_000,
      defaultLifecycle.forgetAfterMs,
      "live for so long forgets repeats",
    ),
    reset_after_ms: integer(100, 60_000, defaultLifecycle.resetAfterMs, "silence that resets a link"),
    max_loss: number(0, 1, defaultLifecycle.maxLoss, "loss above which a link is bad"),
    max_queue_ms: integer(1, 60_000, defaultLifecycle.maxQueueMs, "queue delay above which a link is bad"),
    rtt_max_ms: integer(1, 60_000, defaultLifecycle.maxRttMs, "round trip above which a link is bad"),
    max_jitter_of_buffer: number(
      0,
      1,
      defaultLifecycle.maxJitterOfBuffer,
      "jitter allowed, part of the buffer",
    ),
  },
  scheduler: {
    mode: choice(
      ["eat", "dwrr", "broadcast"],
      defaultScheduler.mode,
      "earliest arrival, static weights, or all links",
    ),
    max_share: number(0.05, 1, defaultScheduler.maxShare, "largest share of one link"),
    max_idle_ms: integer(1, 10_000, defaultScheduler.maxIdleMs, "every good link carries a packet so often"),
    penalty_degrade_ms: integer(
      0,
      10_000,
      defaultScheduler.degradePenaltyMs,
      "delay added to a degraded link",
    ),
  },
  pacing: { burst_ms: integer(1, 1000, 10, "burst that pacing lets through") },
  arq: {
    target_residual: number(0, 1, 1e-4, "residual loss to aim at"),
    nack_copies: integer(0, 3, 0, "copies of every NACK; 0 = as many as the loss needs"),
    rtx_copies: choice(
      ["auto", "robust"],
      "auto",
      "second copies of repeats: last round only, or from the second on",
    ),
    rtx_budget: number(0, 100, 1.5, "repeats allowed, relative to the measured loss"),
  },
  stats: {
    dest: text("host:port for statistics as JSON over UDP"),
    interval_ms: integer(50, 60_000, 1000, "period of statistics"),
  },
};

/** Keys of each `[[links]]` entry. */
export const linkKeys: Readonly<Record<string, ConfigKey>> = {
  id: text("name in statistics"),
  uri: text("rist://host:port of the receiver"),
  interface: text("local address to send from"),
  weight: integer(0, 1000, 5, "share in dwrr mode; 0 duplicates everything here"),
  max_bitrate: integer(1000, 10_000_000_000, undefined, "limit in bits per second"),
};
