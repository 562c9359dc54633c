import type { StationEvent } from "./event-log.ts";

/** One airing of a recording, as it was heard. */
export interface Airing {
  /** ISO 8601, UTC, to the second. */
  readonly startedAt: string;
  readonly endedAt: string;
  readonly stream: string;
  readonly track: string;
  readonly title: string;
  /** How long it was heard. */
  readonly seconds: number;
  /** Hashes that agreed in the best match of the airing. */
  readonly votes: number;
  /** Chance that this match is an error. */
  readonly pFalse: number;
}

/** What speaks for an airing. */
interface Evidence {
  readonly votes: number;
  readonly pFalse: number;
}

/** The airing that is being heard. */
interface OpenAiring extends Evidence {
  readonly track: string;
  readonly title: string;
  /** When it was heard after the last interruption. */
  readonly enteredMs: number;
  readonly startMs: number;
  /** Where it stands in the lists, once it does. */
  readonly place: Place | undefined;
}

interface Place {
  readonly day: string;
  readonly index: number;
}

/** Interruptions up to this long belong to one airing: an announcement over it, noise. */
const bridgeMs = 15_000;
/** An airing that goes on is reported at most this often, so that a crash loses no more of it. */
const reportMs = 15_000;
/** Airings that are kept of a day. */
const maxAirings = 20_000;

/**
 * Turns a station's events into a list of airings, day by day (UTC). An airing belongs to the day on which it began, and is in its list
 * while it goes on.
 */
export class PlayReport {
  readonly #stream: string;
  readonly #wallMsOf: (atUs: number) => number;
  readonly #days = new Map<string, Airing[]>();
  #open: OpenAiring | undefined;
  #reportedMs = 0;
  /** The last airing in the lists: after a short interruption it goes on. */
  #last: { readonly place: Place; readonly startMs: number; readonly endMs: number } | undefined;

  /** @param wallMsOf wall-clock time (Unix ms) of an event's `atUs` */
  constructor(stream: string, wallMsOf: (atUs: number) => number) {
    this.#stream = stream;
    this.#wallMsOf = wallMsOf;
  }

  /** Takes an event; returns the day whose list has changed, if one has. */
  take(event: StationEvent): string | undefined {
    const atMs = this.#wallMsOf(event.atUs);
    if (event.type === "match.entered") {
      const { track, title, votes, pFalse } = event;
      this.#open = { track, title, votes, pFalse, enteredMs: atMs, startMs: atMs, place: undefined };
      this.#reportedMs = atMs;
      return undefined;
    }
    const open = this.#open;
    if (open === undefined) return undefined;
    if (event.type === "match.held" && event.track === open.track) {
      this.#open = { ...open, ...stronger(open, event) };
      return atMs - this.#reportedMs < reportMs ? undefined : this.#report(this.#open, atMs);
    }
    if (event.type !== "match.left" && event.type !== "station.stopped") return undefined;
    const day = this.#report(open, event.type === "match.left" ? open.enteredMs + event.heldMs : atMs);
    this.#open = undefined;
    return day;
  }

  /** Airings of a day such as `2026-01-31`, in order. */
  airings(day: string): readonly Airing[] {
    return this.#days.get(day) ?? [];
  }

  /** Puts back what was reported of a day before a restart. */
  restore(day: string, airings: readonly Airing[]): void {
    const list = airings.slice(-maxAirings);
    this.#days.set(day, list);
    const last = list.at(-1);
    if (last === undefined) return;
    const place = { day, index: list.length - 1 };
    this.#last = { place, startMs: Date.parse(last.startedAt), endMs: Date.parse(last.endedAt) };
  }

  /** Puts an airing as it is so far into its day's list; returns the day, if there is room. */
  #report(airing: OpenAiring, endMs: number): string | undefined {
    this.#reportedMs = endMs;
    const placed = airing.place === undefined ? this.#placed(airing) : airing;
    const { place } = placed;
    const list = place && this.#days.get(place.day);
    if (place === undefined || list === undefined) return undefined;
    this.#open = placed;
    list[place.index] = this.#airing(placed, endMs);
    this.#last = { place, startMs: placed.startMs, endMs };
    return place.day;
  }

  /** Finds the airing that this one goes on with, or a new place. */
  #placed(airing: OpenAiring): OpenAiring {
    const last = this.#last;
    const previous = last && this.#days.get(last.place.day)?.[last.place.index];
    if (last && previous?.track === airing.track && airing.enteredMs - last.endMs <= bridgeMs) {
      return { ...airing, ...stronger(airing, previous), startMs: last.startMs, place: last.place };
    }
    const day = new Date(airing.startMs).toISOString().slice(0, 10);
    const list = this.#days.get(day) ?? [];
    this.#days.set(day, list);
    for (const old of [...this.#days.keys()].sort().slice(0, -2)) this.#days.delete(old);
    return list.length < maxAirings ? { ...airing, place: { day, index: list.length } } : airing;
  }

  #airing({ track, title, votes, pFalse, startMs }: OpenAiring, endMs: number): Airing {
    return {
      startedAt: isoSeconds(startMs),
      endedAt: isoSeconds(endMs),
      stream: this.#stream,
      track,
      title,
      seconds: Math.round((endMs - startMs) / 1000),
      votes,
      pFalse,
    };
  }
}

function stronger(a: Evidence, b: Evidence): Evidence {
  const { votes, pFalse } = b.pFalse < a.pFalse || (b.pFalse === a.pFalse && b.votes > a.votes) ? b : a;
  return { votes, pFalse };
}

const columns = ["startedAt", "endedAt", "stream", "track", "title", "seconds", "votes", "pFalse"] as const;

/** Airings as CSV (RFC 4180) with a header line. */
export function airingsCsv(airings: readonly Airing[]): string {
  const cell = (value: string | number) => {
    // A cell that begins like a formula would run in a spreadsheet.
    const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [
    columns.join(","),
    ...airings.map((each) => columns.map((name) => cell(each[name])).join(",")),
  ];
  return `${lines.join("\r\n")}\r\n`;
}

function isoSeconds(unixMs: number): string {
  return new Date(Math.round(unixMs / 1000) * 1000).toISOString().replace(".000", "");
}
