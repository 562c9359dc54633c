import type { Clock } from "@longwave/base";
import type { ItemKind, SourceAbsence } from "./stages.ts";

/** What happens in a station. All times are integers; positions are milliseconds of the station's sound. */
export type StationEventBody =
  | {
      readonly type: "station.started";
      readonly station: string;
      readonly programme: string;
      readonly profile: string;
    }
  | { readonly type: "station.stopped"; readonly playedMs: number }
  | {
      readonly type: "catalog.enrolled";
      readonly track: string;
      readonly title: string;
      readonly records: number;
    }
  | {
      readonly type: "programme.started";
      readonly item: ItemKind;
      readonly id: string;
      readonly title: string;
      readonly detail: string;
      readonly lengthMs: number | null;
      readonly atMs: number;
    }
  | { readonly type: "programme.ended"; readonly atMs: number }
  | {
      readonly type: "match.entered" | "match.held";
      readonly track: string;
      readonly title: string;
      /** Where in the recording the received sound stands at `atMs`. */
      readonly positionMs: number;
      /** Contrast with the best other track, two decimals. */
      readonly score: number;
      /** Chance of so good an answer to sound that is not in the catalog, three digits. */
      readonly pFalse: number;
      readonly votes: number;
      readonly atMs: number;
    }
  | { readonly type: "match.left"; readonly track: string; readonly heldMs: number; readonly atMs: number }
  | {
      /** A recording is played, or would be, but could not be enrolled. */
      readonly type: "catalog.failed";
      readonly track: string;
      readonly reason: string;
    }
  | {
      /** The catalog cannot be asked: nothing is identified until it can. */
      readonly type: "identification.away";
      readonly reason: string;
      readonly atMs: number;
    }
  | { readonly type: "identification.returned"; readonly atMs: number }
  | { readonly type: "signal.silent" | "signal.returned"; readonly atMs: number }
  | {
      readonly type: "reception.changed";
      readonly gainDb: number;
      readonly noiseDb: number | null;
      readonly lowHz: number;
      readonly highHz: number;
    }
  | {
      readonly type: "link.changed";
      readonly link: string;
      readonly cut: boolean;
      readonly weight: number;
      readonly delayMs: number;
      readonly loss: number;
    }
  | { readonly type: "encoder.changed"; readonly bitrateBps: number; readonly complexity: number }
  | {
      /** Nothing has arrived for a second: what is missing is concealed, and told once there is sound again. */
      readonly type: "sound.lost";
      readonly atMs: number;
    }
  | { readonly type: "sound.concealed"; readonly blocks: number; readonly atMs: number }
  | {
      /** Losses keep coming: how much is missing is told once they end. */
      readonly type: "sound.impaired";
      readonly atMs: number;
    }
  | {
      /** Nothing was lost for 10 s. */
      readonly type: "sound.restored";
      /** Blocks that were concealed since `sinceMs`. */
      readonly blocks: number;
      readonly sinceMs: number;
      readonly atMs: number;
    }
  | {
      /** A mark of the station's key was found in the received sound. */
      readonly type: "watermark.read";
      /** Hexadecimal. */
      readonly payload: string;
      /** Standard deviations above chance. */
      readonly sync: number;
      readonly bitErrorRate: number;
      readonly sinceMs: number;
      readonly atMs: number;
    }
  | {
      /** A text that was put over the programme went on air, ended or failed. */
      readonly type: "speech.started" | "speech.ended" | "speech.failed";
      readonly text: string;
      readonly engine: string;
      readonly voice: string;
      readonly atMs: number;
    }
  | { readonly type: "announcement.failed" | "report.failed" | "report.damaged"; readonly reason: string }
  | { readonly type: "archive.started"; readonly recording: string }
  | {
      readonly type: "archive.continued";
      readonly recording: string;
      /** Sample frames that were there already. */
      readonly frames: number;
      readonly gapMs: number;
    }
  | {
      /** The source had no sound for longer than a second: that time is a gap of the recording, not silence. */
      readonly type: "archive.gap";
      readonly recording: string;
      readonly reason: SourceAbsence;
      readonly gapMs: number;
    }
  | {
      readonly type: "archive.completed";
      readonly recording: string;
      readonly frames: number;
      readonly packets: number;
      /** Packets that never came. */
      readonly lost: number;
      /** Hash over the packets, as in the archive's metadata. */
      readonly packetsSha256: string;
    }
  | { readonly type: "archive.failed"; readonly recording: string | null; readonly reason: string }
  | {
      /** The store is away: what is recorded waits in memory and can be listened to. */
      readonly type: "archive.delayed";
      readonly reason: string;
    }
  | {
      /** The store is back and has everything. */
      readonly type: "archive.delivered";
    }
  | {
      /** Another station has taken the stream's recordings over: this one records it no more until it starts again. */
      readonly type: "archive.taken";
      readonly recording: string | null;
      readonly reason: string;
    }
  | { readonly type: "archive.recovered" | "archive.removed"; readonly recording: string }
  | { readonly type: "archive.damaged"; readonly recording: string; readonly reason: string }
  | {
      /** Every byte of the archive of a virtual run, in one number. */
      readonly type: "archive.digest";
      readonly objects: number;
      readonly bytes: number;
      readonly sha256: string;
    }
  | { readonly type: "clock.slipped"; readonly skippedMs: number }
  | { readonly type: "input.failed"; readonly input: string; readonly reason: string };

/** One line of the log. `seq` counts from 0 without gaps; `atUs` is the station's monotonic clock since its start. */
export type StationEvent = { readonly seq: number; readonly atUs: number } & StationEventBody;

export type StationEventType = StationEventBody["type"];

/**
 * The station's log: numbered, kept to the last `capacity` events, and told to whoever subscribed. Subscribers run inside
 * `append`; they must be quick and must not throw.
 */
export class EventLog {
  readonly #clock: Clock;
  readonly #startUs: number;
  readonly #capacity: number;
  readonly #recent: StationEvent[] = [];
  readonly #subscribers = new Set<(event: StationEvent) => void>();
  #nextSeq = 0;

  constructor(clock: Clock, capacity = 1000) {
    this.#clock = clock;
    this.#startUs = clock.nowUs();
    this.#capacity = capacity;
  }

  /** Microseconds since the log's time 0. */
  get ageUs(): number {
    return this.#clock.nowUs() - this.#startUs;
  }

  append(body: StationEventBody): StationEvent {
    const event = { seq: this.#nextSeq++, atUs: this.#clock.nowUs() - this.#startUs, ...body };
    this.#recent.push(event);
    if (this.#recent.length > this.#capacity) this.#recent.shift();
    for (const subscriber of this.#subscribers) subscriber(event);
    return event;
  }

  /** Kept events after `seq`, oldest first. */
  since(seq: number): readonly StationEvent[] {
    return this.#recent.filter((event) => event.seq > seq);
  }

  /** Calls `subscriber` for every later event; returns the function that ends it. */
  subscribe(subscriber: (event: StationEvent) => void): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }
}

/** An event as one line of JSON, without the line's end. The order of the fields is that of the type. */
export function eventLine(event: StationEvent): string {
  return JSON.stringify(event);
}
