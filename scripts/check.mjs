// npm run check: everything that can be judged without running the product. Prints one line per check.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findMissingLockEntries } from "./lock-completeness.mjs";
import { writeSnippets } from "./snippets.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
let failures = 0;

if (!existsSync(`${root}packages/base/dist/index.js`)) {
  console.error("Run npm run build first: the packages are checked as they would be published.");
  process.exit(2);
}

command("format and lint", ["node_modules/@biomejs/biome/bin/biome", "ci", "--error-on-warnings", "."]);
command("types of the tests", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.tests.json"]);
checkSnippets();
command("arrows between packages", ["scripts/arrows.mjs"]);
command("same bits on every machine", ["scripts/same-bits.mjs"]);
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
command("docs/reference is current", ["scripts/generate-reference.mjs", "--check"]);
if (existsSync(`${root}scripts/byte-budget.mjs`)) command("byte budget", ["scripts/byte-budget.mjs"]);
command("quality floors only rise", ["scripts/quality-ratchet.mjs"]);
process.exit(failures === 0 ? 0 : 1);

/** Compiles the snippets of README and docs; errors carry the document's name and line. */
function checkSnippets() {
  const folder = `${root}examples/.snippets`;
  writeSnippets(folder);
  const compilerOptions = {
    composite: false,
    declaration: false,
    isolatedDeclarations: false,
    noEmit: true,
    noUnusedLocals: false,
    noUncheckedIndexedAccess: false,
    types: ["node"],
  };
  const config = { extends: "../../tsconfig.base.json", compilerOptions, include: ["*.ts"] };
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify(config));
  const result = spawnSync(
    process.execPath,
    [`${root}node_modules/typescript/bin/tsc`, "-p", `${folder}/tsconfig.json`, "--pretty", "false"],
    { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 },
  );
  const details = `${result.stdout}${result.stderr}`.replaceAll(
    /examples\/\.snippets\/(\S+\.md)~\d+\.ts\((\d+),(\d+)\)/g,
    (_, name, line, column) => `${name.replaceAll("~", "/")}:${line}:${column}`,
  );
  report("types of the documentation's snippets", result.status === 0, details);
}

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
