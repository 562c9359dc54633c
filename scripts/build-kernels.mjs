// Compiles the AssemblyScript core of every package that has an asconfig.json, two at a time: a compilation keeps one core
// busy for seconds, and a first `npm start` waits for all of them.
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { buildCore, isCoreCached } from "../packages/kernels/build/build-core.mjs";

const packagesDirectory = fileURLToPath(new URL("../packages/", import.meta.url));
const atOnce = 2;

/** Builds all cores; returns one report per core. */
export async function buildAllKernels({ quiet = false, force = false } = {}) {
  const cores = listCores();
  const waiting = cores.filter((core) => force || !isCoreCached(core.packageDirectory, core.config));
  // The largest core first: it decides when all are done.
  waiting.sort((a, b) => sourceCount(b) - sourceCount(a));
  const built = waiting.length;
  const reports = [];
  const work = async () => {
    for (let core = waiting.shift(); core !== undefined; core = waiting.shift()) {
      const report = await compileInWorker(core);
      console.log(`kernels: ${core.name} ${report.wasmBytes} bytes in ${report.milliseconds} ms`);
      reports.push(report);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, built) }, work));
  if (!quiet && built === 0)
    console.log(`kernels: ${cores.map((core) => core.name).join(", ")} are up to date`);
  return reports;
}

/** One entry per `asconfig.json` or `asconfig.NAME.json`. */
function listCores() {
  const cores = [];
  for (const name of readdirSync(packagesDirectory).sort()) {
    const packageDirectory = packagesDirectory + name;
    for (const config of readdirSync(packageDirectory).sort()) {
      const part = /^asconfig\.(?:(.+)\.)?json$/.exec(config);
      if (part === null) continue;
      cores.push({ name: part[1] === undefined ? name : `${name} ${part[1]}`, packageDirectory, config });
    }
  }
  return cores;
}

function sourceCount({ packageDirectory }) {
  return readdirSync(`${packageDirectory}/assembly`, { recursive: true }).length;
}

function compileInWorker(core) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { core } });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

if (!isMainThread && workerData?.core !== undefined) {
  parentPort.postMessage(await buildCore({ ...workerData.core, force: true }));
} else if (isMainThread && process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildAllKernels({ force: process.argv.includes("--force") });
}
