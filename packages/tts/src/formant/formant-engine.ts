import type { SpeechEngine, SpeechRequest, VoiceInfo } from "../engine/speech-engine.ts";
import { TtsError } from "../errors.ts";
import { toClauses } from "./english-words.ts";
import { type Segment, silence, toSegments } from "./prosody.ts";
import { FormantSynthesizer, type FormantVoice, formantSampleRate } from "./synthesizer.ts";

const voices: ReadonlyMap<string, FormantVoice> = new Map([
  ["formant", { baseHz: 112, tract: 1, breath: 0.02 }],
  ["formant-bright", { baseHz: 196, tract: 1.15, breath: 0.06 }],
  ["formant-deep", { baseHz: 86, tract: 0.94, breath: 0.02 }],
]);

/**
 * The built-in voice: English letter-to-sound rules and a formant synthesizer. Needs no model and no files, speaks the same
 * samples everywhere, and sounds like the machine that it is.
 */
export class FormantEngine implements SpeechEngine {
  readonly name = "formant";
  readonly sampleRate: number = formantSampleRate;
  readonly defaultVoice = "formant";

  listVoices(): readonly VoiceInfo[] {
    return [...voices.keys()].map((id) => ({ id, license: "MIT", language: "en" }));
  }

  /**
   * Speaks clause by clause. Text without a single English letter or digit gives a short silence, not an error.
   * @throws TtsError `tts/voice-unknown`
   */
  async *speak(request: SpeechRequest): AsyncIterable<Float32Array> {
    const id = request.voice ?? this.defaultVoice;
    const voice = voices.get(id);
    if (voice === undefined) {
      throw new TtsError(
        "tts/voice-unknown",
        `The formant engine has no voice "${id}"; it has ${[...voices.keys()].join(", ")}.`,
      );
    }
    const synthesizer = new FormantSynthesizer(voice, request.seed ?? 0);
    const clauses = toClauses(request.text);
    let previous: Segment = silence(40);
    yield synthesizer.render(undefined, previous, undefined);
    for (const clause of clauses) {
      const segments = toSegments(clause);
      for (const [index, segment] of segments.entries()) {
        request.signal?.throwIfAborted();
        yield synthesizer.render(previous, segment, segments[index + 1]);
        previous = segment;
        // Synthesis is synchronous; give timers and sockets a turn between segments.
        await Promise.resolve();
      }
    }
    if (clauses.length === 0) yield synthesizer.render(previous, silence(200), undefined);
  }

  async close(): Promise<void> {}
}
