// Plays blocks from its port one after the other, silence while it has none, and says how far it is. Runs in an AudioWorklet.

/** The part of an AudioWorklet's global scope that is used here. */
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

/** Sample frames between two reports: about 40 ms. */
const reportEvery = 1024;

class SpeechProcessor extends AudioWorkletProcessor {
  #blocks: Float32Array[] = [];
  #at = 0;
  #played = 0;
  #reported = 0;
  #round = 0;

  constructor() {
    super();
    // A number drops what waits and begins a new count, under that number.
    this.port.onmessage = ({ data }: MessageEvent<Float32Array | number>) => {
      if (typeof data !== "number") this.#blocks.push(data);
      else {
        this.#blocks = [];
        this.#at = 0;
        this.#played = 0;
        this.#reported = 0;
        this.#round = data;
      }
    };
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const target = outputs[0]![0]!;
    let filled = 0;
    while (filled < target.length) {
      const block = this.#blocks[0];
      if (block === undefined) break;
      const count = Math.min(target.length - filled, block.length - this.#at);
      target.set(block.subarray(this.#at, this.#at + count), filled);
      filled += count;
      this.#at += count;
      if (this.#at === block.length) {
        this.#blocks.shift();
        this.#at = 0;
      }
    }
    this.#played += filled;
    const isWaiting = this.#blocks.length === 0 && this.#played > this.#reported;
    if (isWaiting || this.#played - this.#reported >= reportEvery) {
      this.#reported = this.#played;
      this.port.postMessage({ round: this.#round, played: this.#played });
    }
    return true;
  }
}

registerProcessor("longwave-speech", SpeechProcessor);
