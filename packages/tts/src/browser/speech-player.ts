import { TtsError } from "../errors.ts";

export interface SpeechPlayerOptions {
  /** Sound that may wait in the player, in seconds; a speech is asked for no more. Default 0.5. */
  readonly maxAheadSeconds?: number | undefined;
  /** Where the sound goes; default the context's destination. */
  readonly connectTo?: ((node: AudioNode) => void) | undefined;
  /** Address of the compiled `player-processor.js`, where a bundler does not find it by itself. */
  readonly processorUrl?: string | URL | undefined;
}

/**
 * Plays speech while it is made, in an AudioWorklet: no clicks between blocks, and a slow page does not stop the sound. Browsers let sound
 * begin only after a click or a key.
 *
 * @example
 * button.onclick = async () => {
 *   const player = await SpeechPlayer.open(tts.sampleRate);
 *   await player.play(tts.speak("Good evening."));
 *   await player.close();
 * };
 */
export class SpeechPlayer {
  readonly context: AudioContext;
  readonly #node: AudioWorkletNode;
  readonly #maxAheadFrames: number;
  #pushed = 0;
  #played = 0;
  /** Grows with every stop: figures of an earlier round mean nothing. */
  #round = 0;
  #last: Promise<unknown> = Promise.resolve();
  #wake: () => void = () => {};

  private constructor(context: AudioContext, node: AudioWorkletNode, maxAheadSeconds: number) {
    this.context = context;
    this.#node = node;
    this.#maxAheadFrames = maxAheadSeconds * context.sampleRate;
    node.port.onmessage = ({ data }: MessageEvent<{ round: number; played: number }>) => {
      if (data.round !== this.#round) return;
      this.#played = data.played;
      this.#wake();
    };
  }

  /** @param sampleRate rate of the speech in Hz; the browser converts it to the device's */
  static async open(sampleRate: number, options: SpeechPlayerOptions = {}): Promise<SpeechPlayer> {
    const context = new AudioContext({ sampleRate });
    await context.audioWorklet.addModule(
      options.processorUrl ?? new URL("./player-processor.js", import.meta.url),
    );
    const node = new AudioWorkletNode(context, "longwave-speech", {
      numberOfInputs: 0,
      outputChannelCount: [1],
    });
    if (options.connectTo === undefined) node.connect(context.destination);
    else options.connectTo(node);
    return new SpeechPlayer(context, node, options.maxAheadSeconds ?? 0.5);
  }

  /**
   * Plays a speech to its end; resolves when its last sample has been played, or when it was stopped. Asks for blocks no faster than they are
   * heard; several speeches play one after the other.
   * @returns sample frames of this speech
   * @throws TtsError `tts/option-invalid` for another sample rate; what the speech throws
   */
  async play(speech: AsyncIterable<Float32Array> & { readonly sampleRate?: number }): Promise<number> {
    const { sampleRate } = this.context;
    if (speech.sampleRate !== undefined && speech.sampleRate !== sampleRate) {
      throw new TtsError(
        "tts/option-invalid",
        `This player was opened for ${sampleRate} Hz, the speech has ${speech.sampleRate}.`,
      );
    }
    const round = this.#round;
    await this.context.resume();
    const turn = this.#last.then(() => this.#playAlone(speech, round));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #playAlone(speech: AsyncIterable<Float32Array>, round: number): Promise<number> {
    let frames = 0;
    if (round !== this.#round) return frames;
    for await (const pcm of speech) {
      if (round !== this.#round) return frames;
      this.#pushed += pcm.length;
      frames += pcm.length;
      this.#node.port.postMessage(pcm);
      await this.#until(() => this.#pushed - this.#played <= this.#maxAheadFrames, round);
      if (round !== this.#round) return frames;
    }
    await this.#until(() => this.#played >= this.#pushed, round);
    return frames;
  }

  /** Silence, at once; what plays or waits is left. */
  stop(): void {
    this.#round++;
    this.#node.port.postMessage(this.#round);
    this.#pushed = 0;
    this.#played = 0;
    this.#wake();
  }

  async close(): Promise<void> {
    this.stop();
    await this.context.close();
  }

  async #until(condition: () => boolean, round: number): Promise<void> {
    while (!condition() && round === this.#round) {
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }
}
