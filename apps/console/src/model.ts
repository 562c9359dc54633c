/** What the server says, as far as the console reads it (see /openapi.json). */
export interface Reception {
  readonly gainDb: number;
  readonly noiseDb: number | null;
  readonly lowHz: number;
  readonly highHz: number;
}

export interface OnAir {
  readonly item: string;
  readonly id: string;
  readonly title: string;
  readonly detail: string;
  readonly lengthMs: number | null;
  readonly positionMs: number;
}

export interface Heard {
  readonly track: string;
  readonly title: string;
  readonly positionMs: number;
  readonly score: number;
  readonly pFalse: number;
  readonly votes: number;
  readonly sinceMs: number;
  readonly atMs: number;
}

export interface Stream {
  readonly id: string;
  readonly programme: string;
  readonly running: boolean;
  readonly playedMs: number;
  readonly receivedMs: number;
  readonly onAir: OnAir | null;
  readonly heard: Heard | null;
  readonly listeners: number;
  readonly reception: Reception | null;
  readonly encoder: { readonly bitrateBps: number; readonly complexity: number } | null;
}

export interface StationEvent {
  readonly seq: number;
  readonly atUs: number;
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface Track {
  readonly id: string;
  readonly title: string | null;
  readonly durationSeconds: number;
  readonly hashes: number;
}

export interface MatchAnswer {
  readonly track: string;
  readonly title: string | null;
  readonly offsetMs: number;
  readonly score: number;
  readonly pFalse: number;
  readonly votes: number;
  readonly queryHashes: number;
}

export interface IdentifyAnswer {
  readonly match: MatchAnswer | null;
  readonly reason: string | null;
  readonly candidates: readonly MatchAnswer[];
  readonly queryMs: number;
  readonly scatter: readonly (readonly [number, number])[];
  readonly matchedTrackMs: number | null;
}

export type LinkPhase = "init" | "probe" | "warm" | "live" | "degrade" | "cooldown" | "reset";
export interface Link {
  readonly id: string;
  readonly name: string;
  readonly cut: boolean;
  readonly alive: boolean;
  readonly phase: LinkPhase;
  readonly delayMs: number;
  readonly setLoss: number;
  readonly loss: number;
  readonly rttMs: number | null;
  readonly sentBps: number;
  readonly share: number;
  readonly weight: number;
  readonly retransmissions: number;
}

/** Samples of a link at equal distance, oldest first. */
export interface LinkCourse {
  readonly id: string;
  readonly sentBps: readonly number[];
  readonly loss: readonly number[];
  readonly rttMs: readonly (number | null)[];
  readonly cut: readonly boolean[];
}
export interface LinkHistory {
  readonly everyMs: number;
  readonly links: readonly LinkCourse[];
}
export interface Bond {
  readonly codec: string;
  readonly bufferMs: number;
  readonly delivered: number;
  readonly recovered: number;
  readonly lost: number;
  readonly concealedBlocks: number;
  readonly arrival: { readonly state: "whole" | "impaired" | "lost" };
  readonly links: readonly Link[];
}

/** A stretch of a recording without a gap; `startMs` is Unix time. */
export interface Span {
  readonly startFrame: number;
  readonly endFrame: number;
  readonly startMs: number;
}

export interface Recording {
  readonly id: string;
  readonly stream: string;
  readonly state: "complete" | "recording";
  readonly channels: number;
  readonly frames: number;
  readonly packets: number;
  readonly lost: number;
  readonly bytes: number;
  readonly spans: readonly Span[];
}

export interface ArchiveList {
  readonly place: string;
  readonly temporary: boolean;
  readonly recordings: readonly Recording[];
  readonly damaged: readonly { readonly id: string; readonly reason: string }[];
}

export interface Outline {
  readonly from: number;
  readonly to: number;
  readonly peak: readonly number[];
  readonly rms: readonly number[];
}

export interface Voice {
  readonly id: string;
  readonly engine: string;
  readonly license: string;
}

/** A text that was put on air; times in milliseconds. */
export interface SpokenReport {
  readonly number: number;
  readonly text: string;
  readonly engine: string;
  readonly voice: string;
  readonly state: "waiting" | "on air" | "done" | "failed";
  readonly firstAudioMs: number;
  readonly lengthMs: number;
  readonly realTimeFactor: number | null;
  readonly problem: string | null;
}
