import { runCommandLine } from "../src/run.ts";

/** How a command ended, and what it wrote. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let before: Promise<unknown> = Promise.resolve();

/**
 * Runs a command line in this process, one after the other, and catches what it writes. Starting a process for each
 * command is most of a test's time; every command has tests of the real program beside these, for pipes and signals.
 */
export function runHere(args: readonly string[]): Promise<CommandResult> {
  const result = before.then(() => runNow(args));
  before = result.catch(() => undefined);
  return result;
}

async function runNow(args: readonly string[]): Promise<CommandResult> {
  const { stdout, stderr, exitCode } = process;
  const streams = [stdout, stderr];
  const writes = streams.map((stream) => stream.write);
  const texts = ["", ""];
  for (const [i, stream] of streams.entries()) {
    stream.write = ((data: string | Uint8Array, ...rest: unknown[]) => {
      texts[i] += typeof data === "string" ? data : Buffer.from(data).toString("utf8");
      const done = rest.at(-1);
      if (typeof done === "function") queueMicrotask(() => done());
      return true;
    }) as typeof stream.write;
  }
  process.exitCode = undefined;
  try {
    const code = await runCommandLine(args);
    return { code: code !== 0 ? code : Number(process.exitCode ?? 0), stdout: texts[0]!, stderr: texts[1]! };
  } finally {
    process.exitCode = exitCode;
    for (const [i, stream] of streams.entries()) stream.write = writes[i]!;
  }
}
