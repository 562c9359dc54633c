import { checkRecording, type IntegrityProof } from "./integrity-proof.ts";
import type { StationArchive } from "./station-archive.ts";
import { checkStream, type StreamProof } from "./stream-proof.ts";

/**
 * Repeats a proof against an archive; returns what does not hold, in sentences, nothing where all does.
 *
 * @param proof as it was parsed from JSON: of a recording (versions 1 and 2) or of an export
 * @param fileSha256 hash of the exported file, WAV or Opus, where it shall be compared too
 * @throws StationError `station/bad-proof` for what is no proof; ArchiveError where the recording cannot be read
 */
export async function checkIntegrity(
  archive: StationArchive,
  proof: unknown,
  fileSha256?: string,
): Promise<string[]> {
  const { format, wav, opus } = (proof ?? {}) as Partial<StreamProof>;
  const problems =
    format === "longwave-stream-proof"
      ? await checkStream(archive, proof as Partial<StreamProof>)
      : await checkRecording(archive, (proof ?? {}) as Partial<IntegrityProof>);
  if (fileSha256 !== undefined && fileSha256 !== wav?.sha256 && fileSha256 !== opus?.sha256) {
    problems.push("The file is not the one that the proof was made for.");
  }
  return problems;
}
