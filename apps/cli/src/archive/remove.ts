import { createInterface } from "node:readline/promises";
import { CliError } from "../errors.ts";
import { printResult } from "../output.ts";
import { lengthText } from "./format.ts";
import { withArchive } from "./with-archive.ts";

/** `longwave archive rm STORE ID...`: asks first, unless told not to. */
export async function remove(
  store: string,
  ids: readonly string[],
  options: { yes?: boolean; json?: boolean },
): Promise<void> {
  await withArchive(
    store,
    async (archive) => {
      for (const id of ids) {
        const info = await archive.info(id);
        if (options.yes !== true) await confirm(`Remove ${id} (${lengthText(info.frames)})? [y/N] `);
        await archive.remove(id);
        printResult(options.json === true, { id, removed: true }, () => [`removed ${id}`]);
      }
      await archive.consolidate();
    },
    { mustExist: true },
  );
}

async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new CliError(
      "cli/bad-argument",
      "usage",
      "Removing asks first, and nobody is there to answer; add --yes.",
    );
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await prompt.question(question);
  prompt.close();
  if (!/^y(es)?$/i.test(answer.trim()))
    throw new CliError("cli/bad-argument", "usage", "Nothing was removed.");
}
