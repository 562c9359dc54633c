import type { WavChunk } from "../wav/wav-parser.ts";
import { type AudioMothComment, parseAudioMothComment } from "./audiomoth.ts";
import { type Bext, parseBext } from "./bext.ts";
import { type Guano, parseGuano } from "./guano.ts";
import { type Ixml, parseIxml } from "./ixml.ts";
import { parseRiffInfo } from "./riff-info.ts";

/** What recorders say of themselves in a WAV file, typed; the raw chunks stay with the reader. */
export interface RecorderMetadata {
  readonly guano: Guano | undefined;
  readonly bext: Bext | undefined;
  readonly ixml: Ixml | undefined;
  readonly audioMoth: AudioMothComment | undefined;
  /** Texts of `LIST/INFO`, in order. */
  readonly info: readonly (readonly [id: string, value: string])[];
}

/** Reads the metadata chunks of a `WavReader`; the first chunk of each kind counts, `LIST` chunks are joined. Never throws. */
export function recorderMetadata(chunks: readonly WavChunk[]): RecorderMetadata {
  const first = (id: string): Uint8Array | undefined => chunks.find((chunk) => chunk.id === id)?.bytes;
  const info = chunks.filter(({ id }) => id === "LIST").flatMap(({ bytes }) => parseRiffInfo(bytes));
  const [guan, bext, ixml] = [first("guan"), first("bext"), first("iXML")];
  const comment = info.find(([id]) => id === "ICMT")?.[1];
  return {
    guano: guan && parseGuano(guan),
    bext: bext && parseBext(bext),
    ixml: ixml && parseIxml(ixml),
    audioMoth: comment === undefined ? undefined : parseAudioMothComment(comment),
    info,
  };
}
