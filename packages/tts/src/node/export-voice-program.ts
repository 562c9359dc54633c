import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { TtsError } from "../errors.ts";
import { SafetensorsFile } from "../model/safetensors.ts";
import { FileByteSource } from "./file-byte-source.ts";

/** How the reference's program makes a voice. */
export interface ExportVoiceProgramOptions {
  /** Default `pocket-tts`. */
  readonly executablePath?: string | undefined;
  /** Longest run in milliseconds; default 10 minutes: the first run fetches the program's weights. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a voice file from a recording with the reference's own program (`pocket-tts export-voice`), where our encoder has no weights.
 * @param audio path of the recording, @param out path of the voice file, which must end in .safetensors
 * @throws TtsError `tts/executable-not-found`, `tts/process-timeout`, `tts/non-zero-exit`; `tts/model-malformed` for what is no safetensors file,
 * which is then removed
 */
export async function exportVoiceByProgram(
  audio: string,
  out: string,
  options: ExportVoiceProgramOptions = {},
): Promise<void> {
  const { executablePath = "pocket-tts", timeoutMs = 600_000, signal } = options;
  await run(executablePath, ["export-voice", audio, out, "--quiet"], timeoutMs, signal);
  try {
    const source = new FileByteSource(out);
    try {
      SafetensorsFile.open(source, out);
    } finally {
      source.close();
    }
  } catch (cause) {
    rmSync(out, { force: true });
    if (cause instanceof TtsError) throw cause;
    throw new TtsError("tts/model-malformed", `${executablePath} wrote no voice file ${out}.`, { cause });
  }
}

function run(
  executable: string,
  args: readonly string[],
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const options = {
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    maxBuffer: 1 << 20,
    ...(signal ? { signal } : {}),
  } as const;
  return new Promise((resolve, reject) => {
    execFile(executable, args, options, (error, _, stderr) => {
      if (error === null) return resolve();
      if (signal?.aborted) return reject(signal.reason);
      if (error.code === "ENOENT" || error.code === "EACCES") {
        const reason = `Cannot start "${executable}": pip install pocket-tts, or give its path.`;
        return reject(new TtsError("tts/executable-not-found", reason, { cause: error }));
      }
      if (error.killed === true) {
        const reason = `${executable} took longer than ${timeoutMs} ms or wrote too much, and was ended.`;
        return reject(new TtsError("tts/process-timeout", reason, { cause: error }));
      }
      const tail = stderr.slice(-8192).trim();
      const reason = `${executable} ended with exit code ${error.code}${tail === "" ? "." : `: ${tail}`}`;
      reject(new TtsError("tts/non-zero-exit", reason, { cause: error }));
    });
  });
}
