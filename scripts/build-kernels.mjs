// Compiles the AssemblyScript core of every package that has an asconfig.json, two at a time: a compilation keeps one core
// busy for seconds, and a first `npm start` waits for all of them.
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { buildCore, isCoreCached } from "../packages/kernels/build/build-core.mjs";

const packagesDirectory = fileURLToPath(new URL("../packages/", import.meta.url));
const atOnce = 2;

/** Builds all cores; returns one report per package that has one. */
export async function buildAllKernels({ quiet = false, force = false } = {}) {
  const names = readdirSync(packagesDirectory)
    .filter((name) => existsSync(`${packagesDirectory}${name}/asconfig.json`))
    .sort();
  const waiting = names.filter((name) => force || !isCoreCached(`${packagesDirectory}${name}`));
  // The largest core first: it decides when all are done.
  waiting.sort((a, b) => sourceCount(b) - sourceCount(a));
  const reports = [];
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const report = await compileInWorker(name);
      console.log(`kernels: ${name} ${report.wasmBytes} bytes in ${report.milliseconds} ms`);
      reports.push(report);
    }
  };
  const built = waiting.length;
  await Promise.all(Array.from({ length: Math.min(atOnce, built) }, work));
  if (!quiet && built === 0) console.log(`kernels: ${names.join(", ")} are up to date`);
  return reports;
}

function sourceCount(name) {
  return readdirSync(`${packagesDirectory}${name}/assembly`, { recursive: true }).length;
}

function compileInWorker(name) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { coreOf: name } });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

if (!isMainThread && workerData?.coreOf !== undefined) {
  parentPort.postMessage(
    await buildCore({ packageDirectory: packagesDirectory + workerData.coreOf, force: true }),
  );
} else if (isMainThread && process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildAllKernels({ force: process.argv.includes("--force") });
}
