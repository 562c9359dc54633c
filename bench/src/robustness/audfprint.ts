import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeWav } from "@longwave/media";
import type { Corpus } from "../corpus/corpus.js";
import { queryRate } from "../corpus/query-store.js";
import { corpusRate, inScratch, run } from "../corpus/tools.js";
import type { Answer, RobustnessSystem } from "./system.js";

/**
 * audfprint (Columbia University), run where a program of that name is found. Its own rule accepts five common hashes; the
 * number of common hashes ranks.
 * @param density hashes a second that are aimed at; 20 is its default
 */
export function audfprintSystem(name: string, density: number, corpus: Corpus): RobustnessSystem | undefined {
  if (spawnSync("audfprint", ["--help"]).error !== undefined) return undefined;
  const index = join(corpus.folder, `${name}.pklz`);
  const settings = ["--density", String(density)];
  const ids = corpus.recordingIds();
  if (!existsSync(index)) {
    inScratch((folder) => {
      const files = ids.map((id, i) => {
        const file = join(folder, `${i}.wav`);
        writeFileSync(file, wav(corpus.recording(id).samples, corpusRate));
        return file;
      });
      run("audfprint", ["new", "--dbase", index, ...settings, ...files]);
    });
  }
  const ask = (sounds: readonly Float32Array[]): Answer[] =>
    inScratch((folder) => {
      const files = sounds.map((samples, i) => {
        const file = join(folder, `${i}.wav`);
        writeFileSync(file, wav(samples, queryRate));
        return file;
      });
      const options = [...settings, "--min-count", "1"];
      const text = run("audfprint", ["match", "--dbase", index, ...options, ...files]).toString();
      const answers: Answer[] = sounds.map(() => ({ accepted: false, candidates: [] }));
      // Matched /tmp/x/3.wav 5.0 sec 88 raw hashes as /tmp/y/17.wav at 12.3 s with 35 of 40 common hashes at rank 0
      const line =
        /^Matched .*?(\d+)\.wav .* as .*?(\d+)\.wav at +(-?[\d.]+) s with +(\d+) of +\d+ common hashes/gm;
      for (const [, query, reference, seconds, common] of text.matchAll(line)) {
        const found = {
          id: ids[Number(reference)]!,
          confidence: Number(common),
          offsetMs: 1000 * Number(seconds),
        };
        answers[Number(query)] = { accepted: found.confidence >= 5, candidates: [found] };
      }
      return answers;
    });
  return {
    name,
    description: `${ids.length} recordings, density ${density}`,
    ask: (queries) => ask(queries.map(({ samples }) => samples)),
  };
}

function wav(samples: Float32Array, sampleRate: number): Uint8Array {
  return encodeWav(samples, { sampleRate, channels: 1, encoding: "s16" });
}
