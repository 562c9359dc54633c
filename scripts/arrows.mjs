// Holds the imports of all sources against .dependency-cruiser.mjs. dependency-cruiser reads TypeScript by the compiler's JavaScript
// interface, which TypeScript 7 has not: it gets TypeScript 6 (typescript-6 in package.json) beside itself. Without it the sources
// would be passed over in silence, so the check also fails where a package's index.ts was not among what was read.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const cruiser = `${root}node_modules/dependency-cruiser`;

if (!existsSync(`${cruiser}/node_modules/typescript/package.json`)) {
  mkdirSync(`${cruiser}/node_modules`, { recursive: true });
  rmSync(`${cruiser}/node_modules/typescript`, { force: true });
  symlinkSync(`${root}node_modules/typescript-6`, `${cruiser}/node_modules/typescript`, "junction");
}
const run = spawnSync(
  process.execPath,
  [
    `${cruiser}/bin/dependency-cruise.mjs`,
    ...["--config", ".dependency-cruiser.mjs", "--output-type", "json"],
    ...["packages", "apps", "testkit", "bench"],
  ],
  { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 },
);
if (!run.stdout.startsWith("{")) {
  console.error(run.stderr || run.stdout);
  process.exit(1);
}
const { modules, summary } = JSON.parse(run.stdout);
const read = new Set(modules.map(({ source }) => source));
const unread = readdirSync(`${root}packages`)
  .map((name) => `packages/${name}/src/index.ts`)
  .filter((path) => existsSync(`${root}${path}`) && !read.has(path));
for (const { rule, from, to } of summary.violations) console.error(`${rule.name}: ${from} -> ${to}`);
for (const path of unread) console.error(`${path} was not read`);
process.exit(summary.violations.length + unread.length === 0 ? 0 : 1);
