import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Path of a file in the shared test data (`LONGWAVE_SHARED`, default `../shared` beside the checkout), or undefined where it
 * is absent. Tests that need it use `test.skipIf(sharedPath("data/x") === undefined)` and name it in their title.
 */
export function sharedPath(name: string): string | undefined {
  const root = resolve(repository, process.env["LONGWAVE_SHARED"] ?? "../shared");
  const path = resolve(root, name);
  return existsSync(path) ? path : undefined;
}

/** Absolute path of a file of this repository. */
export function repositoryPath(name: string): string {
  return resolve(repository, name);
}
