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
  /** Hashes that agreed in the first match. */
  readonly votes: number;
  /** Chance that the match is an error. */
  readonly pFalse: number;
}

interface OpenAiring {
  readonly track: string;
  readonly title: string;
  readonly votes: number;
  readonly pFalse: number;
  readonly startMs: number;
}

/** Interruptions up to this long belong to one airing: an announcement over it, noise. */
const bridgeMs = 15_000;
/** Airings that are kept of a day. */
const maxAirings = 20_000;

/**
 * Turns a station's events into a list of airings, day by day (UTC). An airing belongs to the day on which it began.
 */
export class PlayReport {
  readonly #stream: string;
  readonly #wallMsOf: (atUs: number) => number;
  readonly #days = new Map<string, Airing[]>();
  #open: OpenAiring | undefined;
  #leftMs = 0;
  #last: { day: string; index: number; endMs: number; startMs: number } | undefined;

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
      this.#open = { track, title, votes, pFalse, startMs: atMs };
      return undefined;
    }
    if (event.type === "match.left" || event.type === "station.stopped") {
      const open = this.#open;
      this.#open = undefined;
      if (open === undefined) return undefined;
      this.#leftMs = event.type === "match.left" ? open.startMs + event.heldMs : atMs;
      return this.#close(open);
    }
    return undefined;
  }

  /** Airings of a day such as `2026-01-31`, in order. */
  airings(day: string): readonly Airing[] {
    return this.#days.get(day) ?? [];
  }

  /** Puts back what was reported of a day before a restart. */
  restore(day: string, airings: readonly Airing[]): void {
    this.#days.set(day, [...airings.slice(-maxAirings)]);
  }

  #close(open: OpenAiring): string {
    const last = this.#last;
    const previous = last === undefined ? undefined : this.#days.get(last.day)?.[last.index];
    if (last !== undefined && previous?.track === open.track && open.startMs - last.endMs <= bridgeMs) {
      last.endMs = this.#leftMs;
      this.#days.get(last.day)![last.index] = this.#airing({ ...open, startMs: last.startMs });
      return last.day;
    }
    const day = new Date(open.startMs).toISOString().slice(0, 10);
    const list = this.#days.get(day) ?? [];
    if (list.length < maxAirings) list.push(this.#airing(open));
    this.#days.set(day, list);
    for (const old of [...this.#days.keys()].sort().slice(0, -2)) this.#days.delete(old);
    this.#last = { day, index: list.length - 1, startMs: open.startMs, endMs: this.#leftMs };
    return day;
  }

  #airing(open: OpenAiring): Airing {
    return {
      startedAt: isoSeconds(open.startMs),
      endedAt: isoSeconds(this.#leftMs),
      stream: this.#stream,
      track: open.track,
      title: open.title,
      seconds: Math.round((this.#leftMs - open.startMs) / 1000),
      votes: open.votes,
      pFalse: open.pFalse,
    };
  }
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
