import { type ChildProcess, spawn } from "node:child_process";
import { decodeProgramWav } from "../audio/program-wav.ts";
import type { SpeechEngine, SpeechRequest, VoiceInfo } from "../engine/speech-engine.ts";
import { TtsError } from "../errors.ts";

/** A program that reads text from stdin and writes a WAV to stdout. */
export interface CommandTemplate {
  /** Engine name, for example `espeak-ng`. */
  readonly name: string;
  readonly executable: string;
  /** Arguments; `{voice}` in one is replaced, and an argument pair whose voice is the default is left out by `voiceArgs`. */
  readonly args: readonly string[];
  /** Added when a voice other than `defaultVoice` is wanted; `{voice}` is replaced. */
  readonly voiceArgs?: readonly string[];
  readonly defaultVoice: string;
  /** Rate of the WAV in Hz that the program is known to write, or `any`; default 24,000. Others than 24,000 are resampled. */
  readonly sampleRate?: number | "any";
}

/** Programs with known command lines. */
export const knownCommands: readonly CommandTemplate[] = [
  {
    name: "pocket-tts",
    executable: "pocket-tts",
    args: ["generate", "--text", "-", "--output-path", "-", "--quiet"],
    voiceArgs: ["--voice", "{voice}"],
    defaultVoice: "default",
  },
  {
    name: "espeak-ng",
    executable: "espeak-ng",
    args: ["--stdin", "--stdout"],
    voiceArgs: ["-v", "{voice}"],
    defaultVoice: "en",
    sampleRate: "any",
  },
  {
    name: "piper",
    executable: "piper",
    args: ["--output_file", "-"],
    voiceArgs: ["--model", "{voice}"],
    defaultVoice: "default",
    sampleRate: "any",
  },
];

/**
 * A command line of the user's as a template named `command`: split at spaces, except inside '...' or "..."; no shell sees it. `{voice}`
 * in it is replaced by the voice that is asked for.
 * @param sampleRate rate of the WAV that it writes, Hz; default 24,000
 * @throws TtsError `tts/option-invalid` for an empty line or an open quote
 */
export function parseCommandTemplate(line: string, sampleRate = 24_000): CommandTemplate {
  const words: string[] = [];
  const rest = line.replace(/\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))(?=\s|$)/gy, (_, double, single, plain) => {
    words.push(double ?? single ?? plain);
    return "";
  });
  const [executable, ...args] = words;
  if (executable === undefined || executable === "" || rest.trim() !== "") {
    throw new TtsError(
      "tts/option-invalid",
      `The command ${JSON.stringify(line)} cannot be split into words.`,
    );
  }
  return { name: "command", executable, args, defaultVoice: "default", sampleRate };
}

/** Limits and overrides of a subprocess engine. */
export interface SubprocessOptions {
  /** Path that replaces the template's executable. */
  readonly executablePath?: string | undefined;
  /** Longest run in milliseconds; default 60,000. */
  readonly timeoutMs?: number | undefined;
  /** Most bytes taken from stdout; default 256 MiB. */
  readonly maxOutputBytes?: number | undefined;
  /** Processes at the same time; default 2. */
  readonly concurrency?: number | undefined;
  /** Appended to the arguments as they are. */
  readonly extraArgs?: readonly string[] | undefined;
}

const sampleRate = 24_000;
const blockFrames = 1920;
const keptStderrBytes = 8192;

/**
 * Speaks through an external program: text on stdin, never through a shell; WAV from stdout; one process a request. Whatever
 * happens, the process and its children are ended before the iteration is.
 */
export class SubprocessEngine implements SpeechEngine {
  readonly name: string;
  readonly sampleRate: number = sampleRate;
  readonly defaultVoice: string;
  readonly #template: CommandTemplate;
  readonly #executable: string;
  readonly #timeoutMs: number;
  readonly #maxOutputBytes: number;
  readonly #extraArgs: readonly string[];
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(template: CommandTemplate, options: SubprocessOptions = {}) {
    this.name = template.name;
    this.defaultVoice = template.defaultVoice;
    this.#template = template;
    this.#executable = options.executablePath ?? template.executable;
    this.#timeoutMs = options.timeoutMs ?? 60_000;
    this.#maxOutputBytes = options.maxOutputBytes ?? 256 << 20;
    this.#extraArgs = options.extraArgs ?? [];
    this.#free = options.concurrency ?? 2;
  }

  /** Empty: the program knows its own voices and refuses others. */
  listVoices(): readonly VoiceInfo[] {
    return [];
  }

  /**
   * @throws TtsError `tts/executable-not-found`, `tts/process-timeout`, `tts/non-zero-exit`, `tts/output-too-large`,
   * `tts/wav-malformed`, `tts/format-unsupported`
   */
  async *speak(request: SpeechRequest): AsyncIterable<Float32Array> {
    const pcm = await this.#run(request);
    for (let at = 0; at < pcm.length; at += blockFrames) {
      request.signal?.throwIfAborted();
      yield pcm.slice(at, at + blockFrames);
    }
  }

  async close(): Promise<void> {}

  /** True if the program can be started at all. */
  async isAvailable(): Promise<boolean> {
    return new Promise((resolve) => {
      const child = spawn(this.#executable, ["--version"], { stdio: "ignore", timeout: 5000 });
      child.once("error", () => resolve(false));
      child.once("exit", () => resolve(true));
    });
  }

  async #run(request: SpeechRequest): Promise<Float32Array> {
    request.signal?.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return decodeProgramWav(await this.#capture(request), {
        program: this.#executable,
        from: this.#template.sampleRate ?? sampleRate,
        to: sampleRate,
      });
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }

  #capture(request: SpeechRequest): Promise<Buffer> {
    const { signal } = request;
    const isDefault = request.voice === undefined || request.voice === this.defaultVoice;
    const args = [
      ...this.#template.args,
      ...(isDefault ? [] : (this.#template.voiceArgs ?? [])),
      ...this.#extraArgs,
    ];
    const child = spawn(
      this.#executable,
      args.map((arg) => arg.replaceAll("{voice}", () => request.voice ?? this.defaultVoice)),
      // A group of its own, so that children of the program end with it.
      { stdio: ["pipe", "pipe", "pipe"], detached: process.platform !== "win32" },
    );
    return new Promise((resolve, reject) => {
      const blocks: Buffer[] = [];
      let bytes = 0;
      let stderr = Buffer.alloc(0);
      const settle = (act: () => void) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        act();
      };
      const fail = (error: unknown) => {
        endTree(child);
        settle(() => reject(error));
      };
      const onAbort = () => fail(signal?.reason);
      const timer = setTimeout(() => {
        fail(
          new TtsError(
            "tts/process-timeout",
            `${this.#executable} took longer than ${this.#timeoutMs} ms and was ended.`,
          ),
        );
      }, this.#timeoutMs);
      if (signal?.aborted) return onAbort();
      signal?.addEventListener("abort", onAbort, { once: true });
      child.once("error", (cause: NodeJS.ErrnoException) => {
        const isAbsent = cause.code === "ENOENT" || cause.code === "EACCES";
        fail(
          isAbsent
            ? new TtsError(
                "tts/executable-not-found",
                `Cannot start "${this.#executable}": install it, or give its path (--executable, executablePath).`,
                { cause },
              )
            : cause,
        );
      });
      child.stdout.on("data", (block: Buffer) => {
        bytes += block.length;
        if (bytes > this.#maxOutputBytes) {
          fail(
            new TtsError(
              "tts/output-too-large",
              `${this.#executable} wrote more than ${this.#maxOutputBytes} bytes and was ended.`,
            ),
          );
        } else blocks.push(block);
      });
      child.stderr.on("data", (block: Buffer) => {
        stderr = Buffer.concat([stderr, block]).subarray(-keptStderrBytes);
      });
      child.once("close", (code, killedBy) => {
        if (code === 0) return settle(() => resolve(Buffer.concat(blocks)));
        const tail = stderr.toString("utf8").trim();
        fail(
          new TtsError(
            "tts/non-zero-exit",
            `${this.#executable} ended with ${killedBy ?? `exit code ${code}`}${tail === "" ? "." : `: ${tail}`}`,
          ),
        );
      });
      // A program that does not read its input is judged by its exit code, not by the broken pipe.
      child.stdin.on("error", () => {});
      child.stdin.end(request.text);
    });
  }
}

function endTree(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL");
  }
}
