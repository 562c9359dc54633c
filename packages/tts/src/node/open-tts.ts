import type { SpeechEngine } from "../engine/speech-engine.ts";
import { Tts } from "../engine/tts.ts";
import { TtsError } from "../errors.ts";
import { FormantEngine } from "../formant/formant-engine.ts";
import { knownCommands, SubprocessEngine, type SubprocessOptions } from "./subprocess-engine.ts";

/** What to open; with nothing given, the built-in voice speaks. */
export interface OpenTtsOptions {
  /** Engine that must speak: `formant`, or an external program (`espeak-ng`, `piper`, `pocket-tts`). Default: the best there is. */
  readonly engine?: string | undefined;
  /** Longest text in UTF-8 bytes; default 65,536. */
  readonly maxTextBytes?: number | undefined;
  readonly subprocess?: SubprocessOptions | undefined;
}

/** Names that `engine` takes. */
export const engineNames: readonly string[] = ["formant", ...knownCommands.map(({ name }) => name)];

/**
 * Opens text to speech on this machine.
 * @throws TtsError `tts/engine-unknown`
 *
 * @example
 * const tts = await openTts();
 * for await (const pcm of tts.speak("Hello.", { seed: 1 })) sink.write(pcm);
 * await tts.close();
 */
export async function openTts(options: OpenTtsOptions = {}): Promise<Tts> {
  return new Tts({ engines: [openEngine(options)], maxTextBytes: options.maxTextBytes });
}

function openEngine(options: OpenTtsOptions): SpeechEngine {
  const name = options.engine ?? "formant";
  if (name === "formant") return new FormantEngine();
  const command = knownCommands.find((each) => each.name === name);
  if (command === undefined) {
    throw new TtsError("tts/engine-unknown", `No engine "${name}"; there are ${engineNames.join(", ")}.`);
  }
  return new SubprocessEngine(command, options.subprocess);
}
