import { isLongwaveError } from "@longwave/base";
import {
  channelLanes,
  extract,
  type Fingerprint,
  markQuery,
  type ProfileId,
  profileOf,
} from "@longwave/fingerprint";
import { CatalogError } from "./errors.ts";
import { type AudioInput, type Identification, type IdentifyOptions, noAnswer } from "./identification.ts";
import { identifyLanes } from "./lanes.ts";
import { type AskWindow, LiveMatcher, type LiveOptions } from "./live-matcher.ts";
import { Monitor, type MonitorEvent, type MonitorOptions } from "./monitor.ts";
import { fingerprintQuery, peakQuery, type Query } from "./query.ts";
import { SoundGate } from "./sound-gate.ts";
import { type StreamWindow, windowQuery } from "./stream-window.ts";

/** Looks a query up in a catalog. */
export type Search = (query: Query, options: IdentifyOptions) => Promise<Identification>;

/** The fingerprint of `input` in a profile. */
export function extractFor(profile: ProfileId, input: AudioInput, signal?: AbortSignal): Fingerprint {
  return extract(profile, input.samples, {
    sampleRate: input.sampleRate,
    ...(input.channels !== undefined && { channels: input.channels }),
    ...(signal !== undefined && { signal }),
  });
}

/** @throws CatalogError `catalog/profile-mismatch` for a fingerprint of another profile */
export function requireProfile(profile: ProfileId, fingerprint: Pick<Fingerprint, "profile">): void {
  if (fingerprint.profile === profile) return;
  throw new CatalogError(
    "catalog/profile-mismatch",
    `The catalog has profile ${profile} and the fingerprint ${fingerprint.profile}; extract it again.`,
  );
}

/** Analyses a query and looks it up. What is too short or silent gets an answer with a reason, no error. */
export async function answerQuery(
  profile: ProfileId,
  search: Search,
  query: AudioInput | Fingerprint | StreamWindow,
  options: IdentifyOptions,
): Promise<Identification> {
  if ("firstFrame" in query) {
    requireProfile(profile, query);
    return search(windowQuery(query), options);
  }
  const { layout = "mix" } = options;
  if (!("records" in query) && layout !== "mix") {
    const { sampleRate } = query;
    const lanes = channelLanes(query.samples, query.channels ?? 1, layout);
    return identifyLanes(
      lanes,
      (samples, each) => answerQuery(profile, search, { samples, sampleRate }, each),
      { ...options, layout: "mix" },
    );
  }
  let parsed: Query;
  try {
    parsed = queryOf(profile, query, options.signal);
  } catch (error) {
    if (!isLongwaveError(error, "fp/too-short")) throw error;
    return noAnswer("too-short");
  }
  if (!("records" in query) && isSilent(query.samples)) return noAnswer("silence");
  return search(parsed, options);
}

function queryOf(profile: ProfileId, query: AudioInput | Fingerprint, signal?: AbortSignal): Query {
  if ("records" in query) {
    requireProfile(profile, query);
    return fingerprintQuery(query);
  }
  if (profile !== "mark-v1") return fingerprintQuery(extractFor(profile, query, signal));
  const { samples, sampleRate, channels = 1 } = query;
  return peakQuery(markQuery(samples, { sampleRate, channels, ...(signal !== undefined && { signal }) }));
}

/** True if no sample is louder than -80 dBFS. */
export function isSilent(samples: Float32Array): boolean {
  for (let i = 0; i < samples.length; i++) if (Math.abs(samples[i]!) > 1e-4) return false;
  return true;
}

/** What turns looks at a stream into events: {@link Monitor}, or one that outlives outages of its catalog. */
export interface StreamMonitor {
  look(): Promise<MonitorEvent[]>;
  skip(reason: "silence" | "below-threshold"): MonitorEvent[] | Promise<MonitorEvent[]>;
  end(): MonitorEvent[] | Promise<MonitorEvent[]>;
}

/** Follows a stream of mono samples: the work of `Catalog.monitor`, for any catalog. */
export async function* followStream(
  profile: ProfileId,
  ask: AskWindow,
  stream: AsyncIterable<Float32Array> | Iterable<Float32Array>,
  options: MonitorOptions & LiveOptions,
  monitorOf: (live: LiveMatcher, options: MonitorOptions) => StreamMonitor = (...of) => new Monitor(...of),
): AsyncIterable<MonitorEvent> {
  const { stepSeconds = 1, gapSeconds, maxFalse, only, signal, ...liveOptions } = options;
  const live = new LiveMatcher(profile, ask, liveOptions);
  const monitor = monitorOf(live, {
    ...(gapSeconds !== undefined && { gapSeconds }),
    ...(maxFalse !== undefined && { maxFalse }),
    ...(signal !== undefined && { signal }),
  });
  const rate = options.sampleRate ?? profileOf(profile).sampleRate;
  const gate = only === undefined ? undefined : new SoundGate(rate, only, live.windowMs / 1000);
  const look = () => (gate?.isOpen === false ? monitor.skip(gate.reason) : monitor.look());
  const step = Math.round(Math.min(60, Math.max(0.25, stepSeconds)) * rate);
  let untilLook = step;
  for await (const chunk of stream) {
    signal?.throwIfAborted();
    for (let at = 0; at < chunk.length; ) {
      const end = Math.min(chunk.length, at + untilLook);
      live.push(chunk, at, end);
      gate?.push(chunk, at, end);
      untilLook -= end - at;
      at = end;
      if (untilLook > 0) continue;
      untilLook = step;
      yield* await look();
    }
  }
  live.flush();
  yield* await look();
  yield* await monitor.end();
}
