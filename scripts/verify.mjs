// npm run verify:production and verify:exhaustive: runs the gates one after the other, prints one table, writes
// evidence/<version>-<gate>.json and exits with 1 if any gate failed.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const level = process.argv[2];
const { gates } = JSON.parse(readFileSync(`${root}scripts/gates.json`, "utf8"));
const usage = "Usage: npm run verify:production or npm run verify:exhaustive";
if (level !== "production" && level !== "exhaustive") {
  console.error(usage);
  process.exit(2);
}
if (process.argv.length > 3) {
  // A question must not start gates that take hours.
  const isHelp = process.argv[3] === "--help" || process.argv[3] === "-h";
  const lines = gates
    .filter((gate) => gate.levels.includes(level))
    .map((gate) => `  ${gate.name}: ${gate.command}`);
  (isHelp ? console.log : console.error)(
    `${usage}\nGates of ${level}, one after the other:\n${lines.join("\n")}`,
  );
  process.exit(isHelp ? 0 : 2);
}

const results = [];
for (const gate of gates) {
  if (!gate.levels.includes(level)) continue;
  console.log(`\n== ${gate.name}: ${gate.command}`);
  const started = performance.now();
  const run = spawnSync(gate.command, {
    cwd: root,
    shell: true,
    stdio: "inherit",
    timeout: gate.minutes * 60_000,
  });
  results.push({
    name: gate.name,
    command: gate.command,
    passed: run.status === 0,
    seconds: Math.round((performance.now() - started) / 1000),
  });
}

const version = JSON.parse(readFileSync(`${root}package.json`, "utf8")).version;
const commit = spawnSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8" }).stdout.trim();
mkdirSync(`${root}evidence`, { recursive: true });
writeFileSync(
  `${root}evidence/${version}-${level}.json`,
  `${JSON.stringify({ version, commit, level, results }, null, 2)}\n`,
);

console.log(`\n| gate | result | seconds |\n| --- | --- | --- |`);
for (const result of results) {
  console.log(`| ${result.name} | ${result.passed ? "passed" : "FAILED"} | ${result.seconds} |`);
}
const failed = results.filter((result) => !result.passed).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
