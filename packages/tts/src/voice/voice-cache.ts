import { type VoiceState, voiceBytes } from "./voice-state.ts";

/** Loaded voices, bounded in bytes; the one that was not used for longest leaves first. */
export class VoiceStateCache {
  readonly #maxBytes: number;
  readonly #states = new Map<string, VoiceState>();
  #bytes = 0;

  /** @param maxBytes default 256 MiB; a single larger voice is given out but not kept */
  constructor(maxBytes: number = 256 << 20) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The voice under `key`, if it is there. */
  find(key: string): VoiceState | undefined {
    const known = this.#states.get(key);
    if (known === undefined) return undefined;
    this.#states.delete(key);
    this.#states.set(key, known);
    return known;
  }

  /** The voice under `key`, made by `load` where it is not there. */
  get(key: string, load: () => VoiceState): VoiceState {
    const known = this.find(key);
    if (known !== undefined) return known;
    const state = load();
    const bytes = voiceBytes(state);
    if (bytes > this.#maxBytes) return state;
    this.#states.set(key, state);
    this.#bytes += bytes;
    for (const [oldest, old] of this.#states) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#states.delete(oldest);
      this.#bytes -= voiceBytes(old);
    }
    return state;
  }
}
