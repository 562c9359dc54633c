/** The part of an AudioWorklet's global scope that is used here. */
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

/** 4 s of stereo; what is older than that is skipped. */
const capacity = 4 * 48_000 * 2;
/** Sound that must wait before playing begins: 250 ms, room for an uneven network. */
const startAt = 0.25 * 48_000 * 2;
/** A buffer above this has fallen behind the live edge and is shortened: 1.2 s. */
const tooMuch = 1.2 * 48_000 * 2;

/** Plays 16-bit stereo PCM from its port. Silence while it has none. */
class LongwavePlayer extends AudioWorkletProcessor {
  #ring = new Float32Array(capacity);
  #read = 0;
  #length = 0;
  #playing = false;

  constructor() {
    super();
    this.port.onmessage = (message: MessageEvent<Int16Array>) => this.#write(message.data);
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const [left, right] = outputs[0]!;
    if (!this.#playing && this.#length >= startAt) this.#playing = true;
    if (!this.#playing) return true;
    for (let i = 0; i < left!.length; i++) {
      if (this.#length < 2) {
        this.#playing = false;
        break;
      }
      left![i] = this.#ring[this.#read]!;
      right![i] = this.#ring[this.#read + 1]!;
      this.#read = (this.#read + 2) % capacity;
      this.#length -= 2;
    }
    return true;
  }

  #write(samples: Int16Array): void {
    let to = (this.#read + this.#length) % capacity;
    for (let i = 0; i < samples.length; i++) {
      this.#ring[to] = samples[i]! / 32768;
      to = (to + 1) % capacity;
    }
    this.#length += samples.length;
    if (this.#length > tooMuch) {
      const skip = this.#length - startAt;
      this.#read = (this.#read + skip) % capacity;
      this.#length -= skip;
    }
  }
}

registerProcessor("longwave-player", LongwavePlayer);
