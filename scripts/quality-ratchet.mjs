// The floors of quality/thresholds.json only rise. Compares every committed version with the one before it, and the file as it is
// with the last committed one; a floor that fell or vanished fails the check.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const file = "quality/thresholds.json";

/**
 * Floors that `after` has lower than `before`, or lacks.
 * @param {Record<string, Record<string, number>>} before
 * @param {Record<string, Record<string, number>>} after
 * @returns {string[]}
 */
export function loosened(before, after) {
  const found = [];
  for (const [group, floors] of Object.entries(before)) {
    for (const [name, floor] of Object.entries(floors)) {
      const now = after[group]?.[name];
      if (now === undefined) found.push(`${group}: ${name} had the floor ${floor} and is gone`);
      else if (!(now >= floor)) found.push(`${group}: ${name} fell from ${floor} to ${now}`);
    }
  }
  return found;
}

function git(...parameters) {
  return spawnSync("git", parameters, { cwd: root, encoding: "utf8" });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const versions = git("log", "--reverse", "--format=%H", "--", file)
    .stdout.split("\n")
    .filter(Boolean)
    .map((commit) => [commit.slice(0, 10), git("show", `${commit}:${file}`)])
    .filter(([, shown]) => shown.status === 0)
    .map(([commit, shown]) => [commit, JSON.parse(shown.stdout)]);
  versions.push(["the working tree", JSON.parse(readFileSync(`${root}${file}`, "utf8"))]);
  const found = versions
    .slice(1)
    .flatMap(([name, after], index) => loosened(versions[index][1], after).map((what) => `${name}: ${what}`));
  for (const line of found) console.error(line);
  process.exit(found.length === 0 ? 0 : 1);
}
