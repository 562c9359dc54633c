// npm run bench|conformance|fuzz -- <name> [arguments]: builds what changed, then runs bench/dist/<kind>/<name>.js.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const [kind, name, ...rest] = process.argv.slice(2);
const folder = `${root}bench/src/${kind}`;
const names = existsSync(folder)
  ? readdirSync(folder)
      .filter((file) => file.endsWith(".ts"))
      .map((file) => file.slice(0, -3))
  : [];

if (name === undefined || !names.includes(name)) {
  const isHelp = name === "--help" || name === "-h";
  (isHelp ? console.log : console.error)(`Usage: npm run ${kind} -- <${names.join("|")}> [options]`);
  process.exit(isHelp ? 0 : 2);
}
const build = spawnSync(process.execPath, [`${root}scripts/build.mjs`, "--quiet"], {
  stdio: ["ignore", 2, 2],
});
if (build.status !== 0) process.exit(build.status ?? 1);
const flags = ["--expose-gc", "--min-semi-space-size=64"];
const run = spawnSync(process.execPath, [...flags, `${root}bench/dist/${kind}/${name}.js`, ...rest], {
  stdio: "inherit",
});
process.exit(run.status ?? 1);
