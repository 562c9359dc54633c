import { TtsError } from "../errors.ts";
import { chunkBySentence } from "../text/chunk-by-sentence.ts";
import { joinShort } from "../text/join-short.ts";
import { type SpokenPart, splitAtPauses } from "../text/pauses.ts";
import { defaultMaxTextBytes, normalizeText } from "../text/prepare-text.ts";
import { nearNames } from "./near-names.ts";
import type { SamplingOptions, SpeechEngine, VoiceInfo, VoiceRecording } from "./speech-engine.ts";

/** How to speak one text. */
export interface SpeakOptions {
  /** Voice of the engine; default the engine's own. */
  readonly voice?: string | undefined;
  /** Same seed, same speech; a whole number from 0; default 0. */
  readonly seed?: number | undefined;
  /** Engine by name; default: the first that has the voice, or the first of all. */
  readonly engine?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly sampling?: SamplingOptions | undefined;
  /** Speak as whoever speaks in this recording; the engine must be able to clone. Not together with `voice`. */
  readonly recording?: VoiceRecording | undefined;
  /** Obey `[pause:500ms]` and `<break time="500ms"/>` in the text; default false: they are read out. */
  readonly pauses?: boolean | undefined;
  /** Join sentences (with `chunk`) and the native engine's chunks of fewer than three words to a neighbour; default false. */
  readonly joinShort?: boolean | undefined;
  /** Give the engine one sentence (or packs up to `maxChunkChars`) at a time; default false. */
  readonly chunk?: boolean | undefined;
  readonly maxChunkChars?: number | undefined;
}

/** A voice and the engine that it belongs to. */
export interface EngineVoice extends VoiceInfo {
  readonly engine: string;
}

/**
 * Speech under way: an async iterable of mono blocks at `sampleRate` that says which engine and voice speak. Nothing is
 * synthesised before the first block is asked for; leaving the loop ends the synthesis.
 */
export class Speech implements AsyncIterable<Float32Array> {
  readonly engine: string;
  readonly voice: string;
  /** Hz. */
  readonly sampleRate: number;
  readonly #blocks: () => AsyncIterable<Float32Array>;

  constructor(engine: SpeechEngine, voice: string, blocks: () => AsyncIterable<Float32Array>) {
    this.engine = engine.name;
    this.voice = voice;
    this.sampleRate = engine.sampleRate;
    this.#blocks = blocks;
  }

  [Symbol.asyncIterator](): AsyncIterator<Float32Array> {
    return this.#blocks()[Symbol.asyncIterator]();
  }
}

/** Settings of a {@link Tts}. */
export interface TtsOptions {
  /** Engines in order of preference; at least one. The Tts owns and closes them. */
  readonly engines: readonly SpeechEngine[];
  /** Longest text in UTF-8 bytes; default 65,536. */
  readonly maxTextBytes?: number | undefined;
}

/**
 * Text to speech through one or more engines.
 *
 * @example
 * const tts = new Tts({ engines: [new FormantEngine()] });
 * for await (const pcm of tts.speak("Good evening.", { seed: 7 })) sink.write(pcm);
 * await tts.close();
 */
export class Tts {
  readonly #engines: readonly SpeechEngine[];
  readonly #maxTextBytes: number;
  #closed = false;

  constructor(options: TtsOptions) {
    if (options.engines.length === 0) {
      throw new TtsError("tts/engine-unavailable", "No speech engine was given.");
    }
    this.#engines = options.engines;
    this.#maxTextBytes = options.maxTextBytes ?? defaultMaxTextBytes;
  }

  /** Names of the engines, the preferred first. */
  get engines(): readonly string[] {
    return this.#engines.map((engine) => engine.name);
  }

  /** Voices of all engines, the preferred engine's first. */
  listVoices(): readonly EngineVoice[] {
    return this.#engines.flatMap((engine) =>
      engine.listVoices().map((voice) => ({ ...voice, engine: engine.name })),
    );
  }

  /**
   * Speaks a text. Errors about the request are thrown here, errors of the synthesis by the iteration.
   * @throws TtsError `tts/empty-text`, `tts/text-too-long`, `tts/engine-unknown`, `tts/voice-unknown`, `tts/option-invalid`,
   * `tts/closed`
   */
  speak(text: string, options: SpeakOptions = {}): Speech {
    if (this.#closed) throw new TtsError("tts/closed", "This Tts was closed.");
    const clean = normalizeText(text, this.#maxTextBytes);
    const seed = options.seed ?? 0;
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new TtsError("tts/option-invalid", `The seed ${seed} is not a whole number from 0 to 2^53.`);
    }
    const { signal, recording } = options;
    if (recording !== undefined && options.voice !== undefined) {
      throw new TtsError("tts/option-invalid", "Give a voice or a recording, not both.");
    }
    const engine =
      recording === undefined
        ? this.#choose(options.engine, options.voice)
        : this.#chooseCloning(options.engine);
    const voice = options.voice ?? (recording === undefined ? engine.defaultVoice : "recording");
    const parts = partsOf(clean, options);
    const sampling = options.joinShort ? { ...options.sampling, joinShort: true } : options.sampling;
    return new Speech(engine, voice, async function* () {
      for (const part of parts) {
        signal?.throwIfAborted();
        if ("pauseMs" in part) {
          yield* silence(Math.round((part.pauseMs * engine.sampleRate) / 1000), signal);
          continue;
        }
        yield* engine.speak({
          text: part.text,
          seed,
          ...(recording === undefined ? { voice } : { recording }),
          ...(signal === undefined ? {} : { signal }),
          ...(sampling === undefined ? {} : { sampling }),
        });
      }
    });
  }

  /** True if one of the engines, or the named one, can speak like a recording. */
  canClone(engine?: string): boolean {
    return this.#engines.some((each) => each.canClone === true && (engine ?? each.name) === each.name);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const engine of this.#engines) await engine.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #chooseCloning(name: string | undefined): SpeechEngine {
    const engine = this.#engines.find((each) => each.canClone === true && (name ?? each.name) === each.name);
    if (engine !== undefined) return engine;
    throw new TtsError(
      "tts/cloning-unavailable",
      `${name ?? this.engines.join(", ")} cannot speak like a recording; open a model whose weights have an encoder, with cloning on.`,
    );
  }

  #choose(name: string | undefined, voice: string | undefined): SpeechEngine {
    if (name !== undefined) {
      const engine = this.#engines.find((each) => each.name === name);
      if (engine === undefined) {
        throw new TtsError(
          "tts/engine-unknown",
          `No engine "${name}"; there are ${this.engines.join(", ")}.`,
        );
      }
      if (voice !== undefined && !speaksAs(engine, voice)) this.#refuseVoice(voice, [engine]);
      return engine;
    }
    if (voice === undefined) return this.#engines[0]!;
    const engine =
      this.#engines.find((each) => each.listVoices().some(({ id }) => id === voice)) ??
      this.#engines.find((each) => speaksAs(each, voice));
    return engine ?? this.#refuseVoice(voice, this.#engines);
  }

  #refuseVoice(voice: string, engines: readonly SpeechEngine[]): never {
    const known = engines.flatMap((engine) => engine.listVoices().map(({ id }) => id));
    const near = nearNames(voice, known);
    const hint =
      near.length > 0 ? `did you mean ${near.join(" or ")}?` : `there are ${known.slice(0, 30).join(", ")}.`;
    throw new TtsError("tts/voice-unknown", `No voice "${voice}"; ${hint}`);
  }
}

function partsOf(text: string, options: SpeakOptions): SpokenPart[] {
  const parts: SpokenPart[] = options.pauses ? splitAtPauses(text) : [{ text }];
  if (!options.chunk) return parts;
  return parts.flatMap((part): SpokenPart[] => {
    if ("pauseMs" in part) return [part];
    const sentences = chunkBySentence(part.text, options.maxChunkChars ?? 0);
    return (options.joinShort ? joinShort(sentences) : sentences).map((each) => ({ text: each }));
  });
}

/** Blocks of at most 80 ms, so that leaving and slow listeners work as in speech. */
function* silence(frames: number, signal: AbortSignal | undefined): Iterable<Float32Array> {
  for (let left = frames; left > 0; left -= silentBlockFrames) {
    signal?.throwIfAborted();
    yield new Float32Array(Math.min(left, silentBlockFrames));
  }
}

const silentBlockFrames = 1920;

/** Engines that cannot list their voices (external programs) take any name. */
function speaksAs(engine: SpeechEngine, voice: string): boolean {
  const voices = engine.listVoices();
  return voices.length === 0 || voices.some(({ id }) => id === voice);
}
