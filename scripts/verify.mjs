// npm run verify:production and verify:exhaustive: runs the gates of scripts/gates.json one after the other and prints one
// table. Every gate's result is written at once to evidence/<version>-<level>.json, its output beside it, so that a run that
// was interrupted goes on with --resume and a single gate can be repeated with --only. Exits with 1 if any gate failed.
import { spawn, spawnSync } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const usage = `Usage: npm run verify:production|verify:exhaustive [-- options]
  --list         print the gates and do nothing
  --only NAME    run the gates whose name contains NAME (may be given several times)
  --resume       skip the gates that have passed on this very commit, without changes since
  --gates FILE   another list of gates than scripts/gates.json
  --evidence DIR another place than evidence/ for results and outputs
  --release      write the table of the last results to docs/release.md and run nothing else
  --help         print this`;

const level = process.argv[2];
if (level !== "production" && level !== "exhaustive") fail(usage);
const options = readOptions();
const gates = JSON.parse(readFileSync(options.gates, "utf8")).gates.filter((gate) =>
  gate.levels.includes(level),
);
const version = JSON.parse(readFileSync(`${root}package.json`, "utf8")).version;
const evidenceFile = `${options.evidence}/${version}-${level}.json`;
const state = commitState();
const evidence = readEvidence();

if (options.help) {
  console.log(`${usage}\nGates of ${level}, one after the other:`);
  for (const { name, command } of gates) console.log(`  ${name}: ${command}`);
} else if (options.list) {
  for (const { name, command, minutes } of gates)
    console.log(`${name} (at most ${minutes} min)\n  ${command}`);
} else if (options.release) {
  writeRelease();
} else {
  process.exitCode = await runGates();
}

function readOptions() {
  const flag = { type: "boolean", default: false };
  try {
    return parseArgs({
      args: process.argv.slice(3),
      options: {
        help: { ...flag, short: "h" },
        list: flag,
        resume: flag,
        release: flag,
        gates: { type: "string", default: `${root}scripts/gates.json` },
        evidence: { type: "string", default: `${root}evidence` },
        only: { type: "string", multiple: true, default: [] },
      },
    }).values;
  } catch (error) {
    return fail(`${error.message}\n${usage}`);
  }
}

function fail(message) {
  console.error(message);
  process.exit(2);
}

/** The commit, with a mark where the working copy differs from it: such results prove nothing about the commit. */
function commitState() {
  const git = (...args) => spawnSync("git", args, { cwd: root, encoding: "utf8" }).stdout.trim();
  const commit = git("rev-parse", "HEAD");
  return git("status", "--porcelain", "--untracked-files=no") === "" ? commit : `${commit} with changes`;
}

/** Results so far by gate. */
function readEvidence() {
  if (!existsSync(evidenceFile)) return new Map();
  const { results = [] } = JSON.parse(readFileSync(evidenceFile, "utf8"));
  return new Map(results.map((result) => [result.name, result]));
}

function writeEvidence() {
  mkdirSync(options.evidence, { recursive: true });
  const known = gates.flatMap(({ name }) => evidence.get(name) ?? []);
  writeFileSync(evidenceFile, `${JSON.stringify({ version, level, results: known }, null, 2)}\n`);
}

async function runGates() {
  const named = gates.filter(
    ({ name }) => options.only.length === 0 || options.only.some((part) => name.includes(part)),
  );
  if (named.length === 0) fail(`No gate of ${level} is named so. They are:\n${names()}`);
  const isDone = ({ name }) => evidence.get(name)?.passed === true && evidence.get(name).commit === state;
  const waiting = named.filter((gate) => !options.resume || !isDone(gate));
  if (waiting.length < named.length)
    console.log(`${named.length - waiting.length} gates have passed on this commit already.`);
  const started = Date.now();
  for (const [index, gate] of waiting.entries()) {
    const minute = Math.floor((Date.now() - started) / 60_000);
    console.log(
      `\n== ${index + 1} of ${waiting.length}, minute ${minute}: ${gate.name}\n== ${gate.command} (at most ${gate.minutes} min)`,
    );
    const result = await runGate(gate);
    evidence.set(gate.name, result);
    writeEvidence();
    console.log(`== ${gate.name}: ${result.passed ? "passed" : "FAILED"} after ${result.seconds} s`);
  }
  const results = named.map(({ name }) => evidence.get(name));
  console.log(`\n${table(results)}`);
  const failed = results.filter(({ passed }) => !passed).length;
  console.log(`\n${results.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

/** Runs a gate in a process group of its own, which a gate that takes too long is ended with. */
async function runGate({ name, command, minutes, figure }) {
  const log = `${version}-${level}-${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}.log`;
  mkdirSync(options.evidence, { recursive: true });
  const file = createWriteStream(`${options.evidence}/${log}`);
  const started = performance.now();
  const windows = process.platform === "win32";
  const child = spawn(command, {
    cwd: root,
    shell: true,
    detached: !windows,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, CI: "true", NO_COLOR: "1" },
  });
  let text = "";
  for (const [stream, terminal] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ]) {
    stream.on("data", (chunk) => {
      terminal.write(chunk);
      file.write(chunk);
      text = (text + chunk).slice(-1_000_000);
    });
  }
  let timedOut = false;
  const end = () => {
    try {
      process.kill(windows ? child.pid : -child.pid, "SIGKILL");
    } catch {
      // It has ended in this very moment.
    }
  };
  const timer = setTimeout(() => {
    timedOut = true;
    end();
  }, minutes * 60_000);
  const interrupt = () => {
    end();
    console.error(`\nInterrupted in "${name}"; go on with --resume.`);
    process.exit(130);
  };
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  const status = await new Promise((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  process.off("SIGINT", interrupt);
  process.off("SIGTERM", interrupt);
  file.end();
  return {
    name,
    command,
    commit: state,
    passed: status === 0,
    seconds: Math.round((performance.now() - started) / 1000),
    // What the gate printed as its result: the lines that its pattern finds, else its last line.
    figure: timedOut ? `ended after ${minutes} min` : figureOf(text, figure),
    log,
  };
}

function figureOf(text, pattern) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour sequences begin with ESC
  const lines = text.replaceAll(/\u001b\[[0-9;]*m/g, "").split(/\r?\n/);
  const found = pattern === undefined ? [] : lines.filter((line) => new RegExp(pattern).test(line));
  const chosen = found.length > 0 ? found.slice(-6) : lines.filter((line) => line.trim() !== "").slice(-1);
  return chosen.map((line) => line.trim()).join("; ");
}

function table(results) {
  const rows = results.map(
    ({ name, passed, seconds, figure }) =>
      `| ${name} | ${passed ? "passed" : "FAILED"} | ${seconds} | ${(figure ?? "").replaceAll("|", " ").slice(0, 300)} |`,
  );
  return ["| gate | result | seconds | figure |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

function names() {
  return gates.map(({ name }) => `  ${name}`).join("\n");
}

/** docs/release.md: what was proven, on which commit, by which command. Gates without a result are named too. */
function writeRelease() {
  const results = gates.flatMap(({ name }) => evidence.get(name) ?? []);
  if (results.length === 0) fail(`There are no results in ${evidenceFile}; run the gates first.`);
  const missing = gates.filter(({ name }) => !evidence.has(name)).map(({ name }) => name);
  const commits = [...new Set(results.map(({ commit }) => commit))];
  const text = `# Evidence of release ${version}

Written by \`npm run verify:${level} -- --release\` from the results of \`npm run verify:${level}\`.
${commits.length === 1 ? `Commit ${commits[0]}` : `Commits ${commits.join(", ")}`}, Node ${process.version}, ${process.platform} ${process.arch}.

${table(results)}

${missing.length === 0 ? "Every gate was run." : `Not run: ${missing.join(", ")}.`}

| gate | command |
| --- | --- |
${results.map(({ name, command }) => `| ${name} | \`${command}\` |`).join("\n")}
`;
  writeFileSync(`${root}docs/release.md`, text);
  console.log(`docs/release.md has ${results.length} results.`);
}
