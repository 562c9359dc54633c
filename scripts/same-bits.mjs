// Holds the libraries to results that are the same bits everywhere: outside src/node no wall clock and no unseeded randomness, and
// nowhere a function of Math whose last bits differ between engines. Comments do not count. What is excused stands here with why.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const excused = new Map([
  ["packages/station/src/scope.ts", "levels and rows of a picture, no result"],
  [
    "packages/bond/src/node/packet-ring.ts",
    "rounds a number of slots up to a power of two, exactly for every engine",
  ],
]);
const engineMath =
  /\bMath\s*\.\s*(?:sinh?|cosh?|tanh?|asinh?|acosh?|atanh?|atan2|exp|expm1|log|log1p|log2|log10|pow|cbrt|hypot)\b/;
const chance = /\bMath\s*\.\s*random\b/;
const wallClock = /\bDate\s*\.\s*now\b|\bnew\s+Date\s*\(\s*\)|\bperformance\s*\.\s*now\b/;

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exit(checkPackages() ? 0 : 1);

function checkPackages() {
  const findings = [];
  const used = new Set();
  for (const path of libraryFiles()) {
    const found = engineDependent(path, readFileSync(`${root}${path}`, "utf8"));
    if (!excused.has(path)) findings.push(...found);
    else if (found.length > 0) used.add(path);
  }
  for (const path of excused.keys()) if (!used.has(path)) findings.push(`${path} needs no excuse any more`);
  for (const finding of findings) console.error(finding);
  return findings.length === 0;
}

function* libraryFiles() {
  for (const name of readdirSync(`${root}packages`).sort()) {
    for (const folder of ["src", "assembly"].map((it) => `packages/${name}/${it}`)) {
      if (!existsSync(`${root}${folder}`)) continue;
      for (const entry of readdirSync(`${root}${folder}`, { recursive: true })) {
        if (/\.tsx?$/.test(entry) && !entry.includes("generated/")) yield `${folder}/${entry}`;
      }
    }
  }
}

/** The lines of a library's source that ask the engine or the machine for what must not differ between them. */
export function engineDependent(path, source) {
  const mayReadTheClock = path.includes("/src/node/");
  return withoutComments(source)
    .split("\n")
    .flatMap((line, at) => {
      const isFound =
        engineMath.test(line) || chance.test(line) || (!mayReadTheClock && wallClock.test(line));
      return isFound ? [`${path}:${at + 1}: ${line.trim()}`] : [];
    });
}

/** Blanks comments and keeps line numbers; the text of strings stays, which can only find too much. */
function withoutComments(source) {
  return source.replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (match) =>
    match.startsWith("/") ? match.replace(/[^\n]/g, " ") : match,
  );
}
