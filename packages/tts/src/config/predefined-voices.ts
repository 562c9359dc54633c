/** A voice that is published with the models: whose recording it was made of, and under which licence that may be used. */
export interface PredefinedVoice {
  readonly id: string;
  /** BCP 47 tag of the recording's language; every voice can speak with every model. */
  readonly language: string;
  /** SPDX identifier as far as it is known, see {@link predefinedVoiceList}; `unstated` where no licence was found. */
  readonly license: string;
  /** Who is to be named. */
  readonly attribution: string;
}

/**
 * Corpora of the recordings and the licences that their publishers give for them, as of November 2026; gathered from the folders of
 * https://huggingface.co/kyutai/tts-voices and not all confirmed.
 */
const corpora = {
  alba: ["CC-BY-4.0", "Alba MacKenna"],
  vctk: ["CC-BY-4.0", "VCTK corpus, CSTR, University of Edinburgh"],
  donations: ["CC0-1.0", "Unmute voice donation project"],
  zero: ["CC0-1.0", "Voice-Zero, LibriVox"],
  commonVoice: ["CC0-1.0", "Mozilla Common Voice"],
  unmute: ["CC0-1.0", "Kyutai, Unmute"],
  expresso: ["CC-BY-NC-4.0", "Expresso dataset, Meta"],
  ears: ["CC-BY-NC-4.0", "EARS dataset, Meta"],
  unstated: ["unstated", "Kyutai; no licence was found at https://huggingface.co/kyutai/pocket-tts"],
} as const;

const rows: readonly (readonly [string, string, keyof typeof corpora])[] = [
  ["alba", "en", "alba"],
  ["anna", "en", "vctk"],
  ["azelma", "en", "vctk"],
  ["bill_boerst", "en", "zero"],
  ["caro_davy", "en", "zero"],
  ["charles", "en", "vctk"],
  ["cosette", "en", "expresso"],
  ["eponine", "en", "vctk"],
  ["estelle", "fr", "unmute"],
  ["eve", "en", "vctk"],
  ["fantine", "en", "vctk"],
  ["george", "en", "vctk"],
  ["giovanni", "it", "commonVoice"],
  ["jane", "en", "vctk"],
  ["javert", "en", "donations"],
  ["jean", "en", "ears"],
  ["juergen", "de", "unstated"],
  ["lola", "es", "commonVoice"],
  ["marius", "en", "donations"],
  ["mary", "en", "vctk"],
  ["michael", "en", "vctk"],
  ["paul", "en", "vctk"],
  ["peter_yearsley", "en", "zero"],
  ["rafael", "pt", "unstated"],
  ["stuart_bell", "en", "zero"],
  ["vera", "en", "vctk"],
];

/**
 * The 26 predefined voices with the licences that were found for them in November 2026. A guide, not a grant: who uses a voice checks its
 * publisher's page. Some forbid commercial use, for two nothing was found.
 */
export const predefinedVoiceList: readonly PredefinedVoice[] = rows.map(([id, language, corpus]) => {
  const [license, attribution] = corpora[corpus];
  return { id, language, license, attribution };
});

/** Names of the predefined voices. */
export const predefinedVoices: readonly string[] = predefinedVoiceList.map(({ id }) => id);
