import type { Feedback } from "../link/feedback.ts";
import { nackProgress, writeExtendedSequence, writeNackBitmask, writeNackRange } from "../wire/rtcp-write.ts";
import type { ReceiverLink } from "./receiver-link.ts";

const capacity = 1024;
/** "auto" writes ranges to peers that answer echoes, and bitmasks to the others: GStreamer's second link ignores ranges. */
export type NackFormat = "auto" | "range" | "bitmask";

/** Gathers the numbers to ask for, per place in the ranking of links, and writes them as few compounds as possible. */
export class NackWriter {
  readonly #feedback: Feedback;
  readonly #format: NackFormat;
  readonly #lists = [new Float64Array(capacity), new Float64Array(capacity)];
  readonly #counts = new Int32Array(2);
  readonly #links: (ReceiverLink | undefined)[] = [undefined, undefined];
  #nowUs = 0;
  mediaSsrc = 0;
  /** Announce the upper bits of the sequence numbers: the sender uses the extension. */
  hasExtendedSequence = false;
  sent = 0;

  constructor(feedback: Feedback, format: NackFormat) {
    this.#feedback = feedback;
    this.#format = format;
  }

  /** Adds a number, in ascending order, to the list for `link` at place 0 or 1. */
  add(place: 0 | 1, link: ReceiverLink, sequence: number): void {
    if (this.#counts[place]! === capacity) this.#write(place);
    this.#links[place] = link;
    this.#lists[place]![this.#counts[place]!++] = sequence;
  }

  flush(nowUs: number): void {
    this.#nowUs = nowUs;
    this.#write(0);
    this.#write(1);
  }

  #write(place: 0 | 1): void {
    const count = this.#counts[place]!;
    const link = this.#links[place];
    if (count === 0 || link === undefined) return;
    const list = this.#lists[place]!;
    const { compound: bytes, ssrc } = this.#feedback;
    for (let from = 0; from < count; from = nackProgress[0]!) {
      let at = this.#feedback.beginNack(link.path, this.#nowUs, this.mediaSsrc, link.highestOnWire);
      let to = count;
      if (this.hasExtendedSequence) {
        const high = Math.floor(list[from]! / 0x10000);
        while (to > from + 1 && Math.floor(list[to - 1]! / 0x10000) !== high) to--;
        at = writeExtendedSequence(bytes, at, ssrc, high % 0x10000);
      }
      at =
        this.#format === "range" || (this.#format === "auto" && link.path.responses > 0)
          ? writeNackRange(bytes, at, this.mediaSsrc, list, from, to)
          : writeNackBitmask(bytes, at, ssrc, this.mediaSsrc, list, from, to);
      this.#feedback.finish(link.path, at);
      link.nacksSent++;
      this.sent++;
    }
    this.#counts[place] = 0;
  }
}
