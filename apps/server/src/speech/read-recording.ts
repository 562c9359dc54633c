import { decodeAudioBytes } from "@longwave/media";
import { maxCloneSeconds, TtsError, type VoiceRecording } from "@longwave/tts";

/** Longer recordings are refused rather than decoded for their first half minute. */
const maxRecordingSeconds = 300;

/**
 * Decodes an uploaded recording (WAV, MP3, FLAC, Vorbis) to mono and keeps its first 30 s, before anything is resampled.
 * @throws TtsError `tts/option-invalid` for an empty one; what the decoder throws for a damaged or too long one
 */
export async function readRecording(bytes: Uint8Array): Promise<VoiceRecording> {
  if (bytes.length === 0) throw new TtsError("tts/option-invalid", "The recording is empty.");
  const limits = { maxSeconds: maxRecordingSeconds };
  const { pcm, sampleRate } = await decodeAudioBytes(bytes, { channels: 1, limits });
  return { pcm: pcm.slice(0, maxCloneSeconds * sampleRate), sampleRate };
}
