// npm run build: the WASM cores, then TypeScript, then the console. Each step is incremental.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildAllKernels } from "./build-kernels.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const quiet = process.argv.includes("--quiet");

await buildAllKernels({ quiet });
run("node_modules/typescript/bin/tsc", ["-b", "tsconfig.json"], root);
if (existsSync(`${root}apps/console/vite.config.ts`)) {
  run("apps/console/build.mjs", quiet ? ["--quiet"] : [], `${root}apps/console`);
}

function run(script, args, cwd) {
  const result = spawnSync(process.execPath, [`${root}${script}`, ...args], { cwd, stdio: "inherit" });
  if (result.status !== 0) process.exit(result.status ?? 1);
}
