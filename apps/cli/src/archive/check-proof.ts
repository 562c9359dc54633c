import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { openStore } from "@longwave/archive/node";
import { SystemClock, systemErrorKind, systemReason } from "@longwave/base/node";
import { checkIntegrity, StationArchive } from "@longwave/station";
import { checkProofSignature, readProofKey } from "@longwave/station/node";
import { CliError } from "../errors.ts";
import { printResult } from "../output.ts";

/** `longwave archive check-proof STORE PROOF [FILE]`: exit code 5 where anything does not hold. */
export async function checkProof(
  name: string,
  proofPath: string,
  filePath: string | undefined,
  options: { json?: boolean; key?: string },
): Promise<void> {
  const proof = await readProof(proofPath);
  const key = options.key === undefined ? undefined : await readProofKey(options.key);
  const fileSha256 = filePath === undefined ? undefined : await hashOf(filePath);
  const { store, close } = await openStore(name, { mustExist: true });
  try {
    const archive = await StationArchive.open(store, { clock: new SystemClock(), place: name });
    const problems = [
      ...(await checkIntegrity(archive, proof, fileSha256)),
      ...checkProofSignature(proof, key),
    ];
    archive.close();
    printResult(options.json === true, { holds: problems.length === 0, problems }, () =>
      problems.length === 0
        ? [
            `The proof holds${filePath === undefined ? "" : `, and ${filePath} is the file that it was made for`}.`,
          ]
        : problems,
    );
    if (problems.length > 0) process.exitCode = 5;
  } finally {
    await close();
  }
}

async function readProof(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new CliError(
      "cli/bad-argument",
      systemErrorKind(cause),
      `Cannot read ${path}: ${systemReason(cause)}.`,
      {
        cause,
      },
    );
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CliError("cli/bad-argument", "malformed", `${path} is no JSON.`, { cause });
  }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  } catch (cause) {
    throw new CliError(
      "cli/bad-argument",
      systemErrorKind(cause),
      `Cannot read ${path}: ${systemReason(cause)}.`,
      {
        cause,
      },
    );
  }
  return hash.digest("hex");
}
