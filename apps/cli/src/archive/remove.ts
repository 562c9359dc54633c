import { createInterface } from "node:readline/promises";
import { type Archive, timeAxis } from "@longwave/archive";
import { parseDurationUs } from "../duration.ts";
import { CliError } from "../errors.ts";
import { printResult } from "../output.ts";
import { lengthText } from "./format.ts";
import { withArchive } from "./with-archive.ts";

/** `longwave archive rm STORE ID...`: asks first, unless told not to. */
export async function remove(
  store: string,
  named: readonly string[],
  options: { olderThan?: string; yes?: boolean; json?: boolean },
): Promise<void> {
  if ((named.length === 0) === (options.olderThan === undefined)) {
    throw new CliError("cli/bad-argument", "usage", "Name recordings, or give --older-than, not both.");
  }
  await withArchive(
    store,
    async (archive) => {
      const ids = options.olderThan === undefined ? named : await endedBefore(archive, options.olderThan);
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

/** Recordings that ended longer ago than this; one that is being written or whose time nobody knows is never among them. */
async function endedBefore(archive: Archive, age: string): Promise<string[]> {
  const limitNs = BigInt(Date.now()) * 1_000_000n - BigInt(parseDurationUs(age)) * 1000n;
  const old = (await archive.list()).filter((info) => {
    const end = timeAxis(info).timeOf(info.frames);
    return info.state === "complete" && end !== undefined && end < limitNs;
  });
  return old.map((info) => info.id);
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
