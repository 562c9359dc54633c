import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Folder of the built console; undefined where it was not built, and the server then serves the API alone. */
export function consoleDirectory(): string | undefined {
  const directory = fileURLToPath(new URL("../../console/dist", import.meta.url));
  return existsSync(`${directory}/index.html`) ? directory : undefined;
}
