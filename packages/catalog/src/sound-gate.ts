import { type SoundClass, SoundClassifier, type SoundSpan } from "@longwave/fingerprint";

/** Whether the newest seconds of a stream hold any sound of the wanted classes. */
export class SoundGate {
  readonly #classifier: SoundClassifier;
  readonly #only: readonly SoundClass[];
  readonly #windowSeconds: number;
  #heardUntil = Number.NEGATIVE_INFINITY;
  #toldUntil = 0;
  #newest: SoundClass | undefined;

  /** @param windowSeconds how far back a look reaches */
  constructor(sampleRate: number, only: readonly SoundClass[], windowSeconds: number) {
    this.#classifier = new SoundClassifier({ sampleRate });
    this.#only = only;
    this.#windowSeconds = windowSeconds;
  }

  /** Takes mono samples. */
  push(samples: Float32Array, start: number, end: number): void {
    this.#classifier.push(samples, this.#take, start, end);
  }

  /** False once nothing of the wanted classes is left in what a look covers. Open until the first class is known. */
  get isOpen(): boolean {
    return this.#newest === undefined || this.#toldUntil - this.#heardUntil < this.#windowSeconds;
  }

  /** Why there is no answer while the gate is closed. */
  get reason(): "silence" | "below-threshold" {
    return this.#newest === "silence" ? "silence" : "below-threshold";
  }

  readonly #take = (span: SoundSpan): void => {
    this.#newest = span.class;
    this.#toldUntil = span.end;
    if (this.#only.includes(span.class)) this.#heardUntil = span.end;
  };
}
