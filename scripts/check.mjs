// npm run check: everything that can be judged without running the product. Prints one line per check.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findMissingLockEntries } from "./lock-completeness.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
let failures = 0;

if (!existsSync(`${root}packages/base/dist/index.js`)) {
  console.error("Run npm run build first: the packages are checked as they would be published.");
  process.exit(2);
}

command("format and lint", ["node_modules/@biomejs/biome/bin/biome", "ci", "--error-on-warnings", "."]);
command("types of the tests", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.tests.json"]);
command("arrows between packages", [
  "node_modules/dependency-cruiser/bin/dependency-cruise.mjs",
  "--config",
  ".dependency-cruiser.mjs",
  ...["packages", "apps", "testkit", "bench"].filter((folder) => existsSync(`${root}${folder}`)),
]);
const missing = findMissingLockEntries(JSON.parse(readFileSync(`${root}package-lock.json`, "utf8")));
report("lock file is complete", missing.length === 0, missing.join("\n"));
for (const name of readdirSync(`${root}packages`).sort()) {
  if (!existsSync(`${root}packages/${name}/package.json`)) continue;
  command(`publint ${name}`, [
    "node_modules/publint/src/cli.js",
    `packages/${name}`,
    "--strict",
    "--pack",
    "false",
  ]);
}
if (existsSync(`${root}scripts/byte-budget.mjs`)) command("byte budget", ["scripts/byte-budget.mjs"]);
process.exit(failures === 0 ? 0 : 1);

function command(title, args) {
  const result = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 });
  report(title, result.status === 0, `${result.stdout}${result.stderr}`);
}

function report(title, ok, details) {
  console.log(`${ok ? "ok  " : "FAIL"} ${title}`);
  if (ok) return;
  failures++;
  console.log(details);
}
