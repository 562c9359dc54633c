// npm run build: the WASM cores, then TypeScript, then the console. Each step is incremental. --quiet says something only in a
// checkout that was never built, where npm start would be silent for half a minute.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildAllKernels } from "./build-kernels.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const quiet = process.argv.includes("--quiet");

const started = performance.now();
const isFirst = !existsSync(`${root}apps/cli/dist/main.js`);
const say = (text) => {
  if (isFirst) console.log(text);
};

say("First build of this checkout: half a minute on two cores. Later starts take a few seconds.");
say("1/3 numeric cores, AssemblyScript to WASM");
await buildAllKernels({ quiet });
say("2/3 TypeScript");
run("node_modules/typescript/bin/tsc", ["-b", "tsconfig.json"], root);
if (existsSync(`${root}apps/console/vite.config.ts`)) {
  say("3/3 console");
  run("apps/console/build.mjs", quiet ? ["--quiet"] : [], `${root}apps/console`);
}
say(`Built in ${((performance.now() - started) / 1000).toFixed(0)} s.`);

function run(script, args, cwd) {
  const result = spawnSync(process.execPath, [`${root}${script}`, ...args], { cwd, stdio: "inherit" });
  if (result.status !== 0) process.exit(result.status ?? 1);
}
