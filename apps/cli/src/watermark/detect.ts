import { WatermarkDetector, type WatermarkSpan } from "@longwave/fingerprint/watermark";
import { aboutFile } from "../id/naming.ts";
import { readSound } from "../id/read-sound.ts";
import { printResult } from "../output.ts";
import { nothingFoundExitCode } from "../require-exit.ts";
import { type KeyOptions, readKey } from "./read-key.ts";

export interface DetectOptions extends KeyOptions {
  readonly payloadBytes: 4 | 8;
  readonly model?: string;
  readonly modelSha256?: string;
  readonly scores?: "flat" | "class1of2";
  readonly message?: "logits" | "probabilities";
  readonly require?: boolean;
  readonly json?: boolean;
}

/** `longwave watermark detect IN`: the payloads in a sound and where they are. */
export async function detect(input: string, options: DetectOptions): Promise<void> {
  const { model } = options;
  if (model !== undefined) {
    // The runtime of models is loaded for nobody else.
    return (await import("./detect-with-model.ts")).detectWithModel(input, { ...options, model });
  }
  const key = await readKey(options);
  const { samples, sampleRate, channels = 1 } = await readSound(input);
  const spans: WatermarkSpan[] = [];
  const { payloadBytes } = options;
  const detector = await aboutFile(
    input,
    () => new WatermarkDetector({ sampleRate, channels, key, payloadBytes }),
  );
  detector.process(samples, (span) => spans.push(span));
  detector.flush((span) => spans.push(span));
  const marks = spans.map(({ payload, ...rest }) => ({
    payload: Buffer.from(payload).toString("hex"),
    ...rest,
  }));
  printResult(options.json === true, { input, marks }, () =>
    marks.length === 0
      ? ["No mark of this key."]
      : marks.map(
          ({ payload, start, end, sync, bitErrorRate }) =>
            `${payload} from ${start.toFixed(1)} to ${end.toFixed(1)} s ` +
            `(${sync.toFixed(1)} standard deviations, ${(100 * bitErrorRate).toFixed(1)} % of bits corrected)`,
        ),
  );
  if (marks.length === 0 && options.require === true) process.exitCode = nothingFoundExitCode;
}
