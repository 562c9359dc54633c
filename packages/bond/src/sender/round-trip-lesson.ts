/** Lessons that one receiver gets; the first does, the others are for the case that it was lost. */
const lessonsPerReceiver = 3;
/** GStreamer asks for a packet so often at the most (`max-rtx-retries` of ristsrc). */
const mostRequests = 7;
/** One more than it may have counted, as one may be lost. */
const copies = mostRequests + 1;
/** Before its first measurement it asks about 20 ms after the packet should have come, then each 40 ms, so until this time. */
const asksForUs = 260_000;
/** A request for a packet older than a round trip and this has waited for its report. */
const patienceUs = 140_000;
/** Too old for a lesson: it would come out as more than twice a usual round trip. */
const oldestUs = 360_000;
const spacingUs = 5_000;
/** Part of the round trip after which the further copies follow the first. */
const delayRatio = 0.85;

/**
 * Teaches GStreamer's receiver the round trip. Its rtpjitterbuffer asks again after the round trip that it measured on repeats, and
 * as often as that fits into its buffer. It measures only where it got as many repeats as it had asked for, takes the first value as
 * it is, and believes later ones that differ much by a 48th. In the first seconds of a stream its reports are so rare that a request
 * easily waits for most of a second; when such a value is the first, the receiver asks for every packet once for a long time, and what
 * is lost twice is lost for good. Therefore:
 *
 * - the first packet that it asks for without delay is repeated once, and a round trip later so often that whatever number of
 *   requests it counted is reached at a good moment;
 * - a repeat whose request has waited is not marked as one (the lowest bit of its SSRC): the receiver takes it for a late packet,
 *   which it measures nothing on.
 */
export class RoundTripLesson {
  #left = lessonsPerReceiver;
  #copies = 0;
  #sequence = -1;
  #dueUs = 0;
  #begunUs = Number.NEGATIVE_INFINITY;
  #promptUs = Number.POSITIVE_INFINITY;

  /** Another receiver, which knows nothing yet. */
  restart(): void {
    this.#left = lessonsPerReceiver;
    this.#promptUs = Number.POSITIVE_INFINITY;
  }

  /** False where the receiver would take the wait of its own request for the round trip. */
  mayMeasure(sequence: number, ageUs: number): boolean {
    return ageUs <= this.#promptUs || sequence === this.#sequence;
  }

  /**
   * Such a receiver asked for the packet, which is repeated now.
   * @param ageUs time since it was sent first
   * @param roundTripUs to the receiver
   * @returns true if it becomes a lesson
   */
  begin(sequence: number, ageUs: number, roundTripUs: number, nowUs: number): boolean {
    this.#promptUs = roundTripUs + patienceUs;
    if (ageUs > roundTripUs + oldestUs) return false;
    if (this.#copies > 0) {
      // Of the packets that one report asks for the youngest is best.
      if (nowUs !== this.#begunUs) return false;
    } else if (this.#left-- <= 0) {
      this.#left = 0;
      return false;
    }
    this.#begunUs = nowUs;
    this.#sequence = sequence;
    this.#copies = copies;
    // Once it has stopped asking time counts from its last request.
    const sinceLastUs = ageUs - asksForUs;
    const restUs = 1.1 * roundTripUs - sinceLastUs - (mostRequests - 2) * spacingUs;
    this.#dueUs = nowUs + Math.max(spacingUs, Math.min(delayRatio * roundTripUs, restUs));
    return true;
  }

  /** When the next copy is due; Infinity without any. */
  get nextUs(): number {
    return this.#copies === 0 ? Number.POSITIVE_INFINITY : this.#dueUs;
  }

  /** Takes the sequence number of a copy that is due and goes out before the next call, or returns -1. */
  due(nowUs: number): number {
    if (this.#copies === 0) this.#sequence = -1;
    if (this.#copies === 0 || this.#dueUs > nowUs) return -1;
    this.#copies--;
    this.#dueUs += spacingUs;
    return this.#sequence;
  }
}
