// Compiles the AssemblyScript core of every package that has an asconfig.json.
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildCore } from "../packages/kernels/build/build-core.mjs";

const packagesDirectory = fileURLToPath(new URL("../packages/", import.meta.url));

/** Builds all cores; returns one report per package that has one. */
export async function buildAllKernels({ quiet = false, force = false } = {}) {
  const reports = [];
  for (const name of readdirSync(packagesDirectory).sort()) {
    const directory = `${packagesDirectory}${name}`;
    if (!existsSync(`${directory}/asconfig.json`)) continue;
    const report = await buildCore({ packageDirectory: directory, force });
    reports.push(report);
    if (!quiet || !report.cached) {
      console.log(
        `kernels: ${name} ${report.wasmBytes} bytes${report.cached ? " (cached)" : ` in ${report.milliseconds} ms`}`,
      );
    }
  }
  return reports;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildAllKernels({ force: process.argv.includes("--force") });
}
