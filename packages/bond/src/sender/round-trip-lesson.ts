/** Lessons that one receiver gets; the first does, the others are for the case that it was lost. */
const lessons = 3;
/** GStreamer asks for a packet so often at the most (`max-rtx-retries` of ristsrc). */
const mostRequests = 7;
/** A request that is older than a round trip and this waited for its report; by then the receiver has stopped asking. */
const patienceUs = 140_000;
const spacingUs = 5_000;
/** Part of the round trip after which the further copies follow the first. */
const delayRatio = 0.85;

/**
 * Teaches GStreamer's receiver the round trip. Its rtpjitterbuffer asks again after the round trip that it measured on repeats, and
 * as often as that fits into its buffer. It measures only where it got as many repeats as it had asked for, takes the first value as
 * it is, and believes later ones that differ much by a 48th. As its reports are rare in the first seconds of a stream, a request
 * easily waits for most of a second; when such a value is the first, the receiver asks for every packet once for minutes, and what is
 * lost twice is lost for good. So the first packet that it asks for without delay is repeated once, and a round trip later so
 * often that whatever number of requests it counted is reached at a good moment.
 */
export class RoundTripLesson {
  #left = lessons;
  #copies = 0;
  #sequence = -1;
  #dueUs = 0;

  /** Another receiver, which knows nothing yet. */
  restart(): void {
    this.#left = lessons;
  }

  /**
   * The packet was asked for and is repeated now.
   * @param ageUs time since it was sent first
   * @param roundTripUs to the receiver
   * @returns true if it becomes a lesson
   */
  begin(sequence: number, ageUs: number, roundTripUs: number, nowUs: number): boolean {
    if (this.#left === 0 || this.#copies > 0 || ageUs > roundTripUs + patienceUs) return false;
    this.#left--;
    this.#sequence = sequence;
    this.#copies = mostRequests;
    this.#dueUs = nowUs + delayRatio * roundTripUs;
    return true;
  }

  /** When the next copy is due; Infinity without any. */
  get nextUs(): number {
    return this.#copies === 0 ? Number.POSITIVE_INFINITY : this.#dueUs;
  }

  /** Takes the sequence number of a copy that is due, or returns -1. */
  due(nowUs: number): number {
    if (this.#copies === 0 || this.#dueUs > nowUs) return -1;
    this.#copies--;
    this.#dueUs += spacingUs;
    return this.#sequence;
  }
}
