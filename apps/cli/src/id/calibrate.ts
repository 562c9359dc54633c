import { BaseError } from "@longwave/base";
import type { AudioInput } from "@longwave/catalog";
import { printLine } from "../output.ts";
import { findAudioFiles } from "./audio-files.ts";
import { aboutFile } from "./naming.ts";
import { openCatalog } from "./open-catalog.ts";
import { readSound } from "./read-sound.ts";

/** Lengths of the pieces that the fit is made from, in turn, seconds. */
const pieceSeconds = [3, 5, 10];
const leastPieces = 50;

/** `longwave id calibrate PATH...`: fits the probabilities of false matches to sound that is not in the catalog. */
export async function calibrate(
  paths: readonly string[],
  options: { catalog: string; json?: boolean },
): Promise<void> {
  const pieces: { readonly path: string; readonly sound: AudioInput }[] = [];
  for (const { path } of await findAudioFiles(paths)) {
    const { samples, sampleRate } = await readSound(path, { channels: 1 });
    for (let at = 0; ; ) {
      const end = at + pieceSeconds[pieces.length % pieceSeconds.length]! * sampleRate;
      if (end > samples.length) break;
      pieces.push({ path, sound: { samples: samples.subarray(at, end), sampleRate } });
      at = end;
    }
  }
  if (pieces.length < leastPieces) {
    throw new BaseError(
      "cli/too-few-negatives",
      "usage",
      `The files give ${pieces.length} pieces of 3, 5 and 10 s; at least ${leastPieces} are needed (about five minutes of sound).`,
    );
  }
  await using catalog = await openCatalog(options.catalog);
  let asked = "";
  function* negatives(): Iterable<AudioInput> {
    for (const { path, sound } of pieces) {
      asked = path;
      yield sound;
    }
  }
  const calibration = await catalog.calibrate(negatives()).catch((error: unknown) =>
    aboutFile(asked, () => {
      throw error;
    }),
  );
  if (options.json === true) printLine(JSON.stringify({ pieces: pieces.length, calibration }));
  else {
    const { threshold, share, scale, check } = calibration;
    printLine(
      `Of ${pieces.length} pieces ${(100 * share).toFixed(0)} % reach a contrast of ${threshold.toFixed(1)}; ` +
        `every ${scale.toFixed(1)} more divides their number by e.`,
    );
    if (check.length === 0)
      printLine("Too few pieces to compare: 100 are needed, half of them kept from the fit.");
    else printLine("Of the half that a fit to the other half has not seen:");
    for (const { predicted, score, observed } of check)
      printLine(
        `  predicted ${percent(predicted)}, observed ${percent(observed)} at ${score.toFixed(1)} and more`,
      );
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`.padStart(7);
}
