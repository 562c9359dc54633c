import pc from "picocolors";

/** Writes one line to standard output. */
export function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints a result: as one JSON object with `--json`, else as lines for people. */
export function printResult(json: boolean, value: unknown, lines: () => readonly string[]): void {
  if (json) printLine(JSON.stringify(value));
  else for (const line of lines()) printLine(line);
}

/** Says something on standard error, for people; nothing where standard error is no terminal. */
export function progress(message: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${pc.dim(message)}\n`);
}
