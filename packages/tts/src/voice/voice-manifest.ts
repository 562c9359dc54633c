import type { VoiceInfo } from "../engine/speech-engine.ts";
import { TtsError } from "../errors.ts";

/** A voice of a manifest: where its file is, and under which licence it may be used. */
export interface ManifestVoice extends VoiceInfo {
  /** Relative to the manifest. */
  readonly path: string;
}

const maxVoices = 10_000;
const optionalTexts = ["language", "attribution"] as const;

/**
 * Parses `manifest.json`: `{"version": 1, "voices": [{"id", "path", "license", "language"?, "attribution"?}]}`. The licence is required:
 * some voices may not be used commercially. Paths stay below the manifest's folder.
 * @throws TtsError `tts/config-invalid`
 */
export function parseVoiceManifest(text: string, label = "voice manifest"): ManifestVoice[] {
  const fail = (reason: string): never => {
    throw new TtsError("tts/config-invalid", `${label}: ${reason}.`);
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return fail("it is not JSON");
  }
  const { version, voices } = (json ?? {}) as { version?: unknown; voices?: unknown };
  if (version !== 1) return fail(`version ${JSON.stringify(version)} is not supported, only 1`);
  if (!Array.isArray(voices) || voices.length > maxVoices)
    return fail(`"voices" is not a list of at most ${maxVoices}`);
  const ids = new Set<string>();
  return voices.map((each: Record<string, unknown>, index): ManifestVoice => {
    const required = (key: string): string => {
      const value = each?.[key];
      return typeof value === "string" && value !== "" ? value : fail(`voice ${index + 1} has no "${key}"`);
    };
    const voice = { id: required("id"), path: required("path"), license: required("license") };
    if (!/^[\w.-]{1,64}$/.test(voice.id))
      fail(`"${voice.id.slice(0, 80)}" is no id: use letters, digits, . _ -`);
    if (ids.has(voice.id)) fail(`"${voice.id}" appears twice`);
    ids.add(voice.id);
    if (/^([/\\]|[A-Za-z]:)|(^|[/\\])\.\.([/\\]|$)/.test(voice.path)) {
      fail(`the path of "${voice.id}" leaves the manifest's folder`);
    }
    const extra: Record<string, string> = {};
    for (const key of optionalTexts) {
      const value = each[key];
      if (value !== undefined && typeof value !== "string") fail(`"${key}" of "${voice.id}" is not text`);
      if (typeof value === "string") extra[key] = value;
    }
    return { ...voice, ...extra };
  });
}

/** Writes a manifest in the form that {@link parseVoiceManifest} reads. */
export function formatVoiceManifest(voices: readonly ManifestVoice[]): string {
  return `${JSON.stringify({ version: 1, voices }, null, 2)}\n`;
}

/** True for licences that forbid commercial use, by their short names. */
export function isNonCommercial(license: string): boolean {
  return /\bnc\b|non-?commercial/i.test(license);
}
