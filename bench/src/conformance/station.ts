// npm run conformance -- station [--minutes 2] [--seed 7]: `longwave station --virtual` in two processes of their own must
// print the same event log, byte for byte, and recognise what plays. The digest is the same on every machine.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";

const option = (name: string, otherwise: string) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : process.argv[at + 1]!;
};
const program = fileURLToPath(new URL("../../../apps/cli/dist/main.js", import.meta.url));
const seed = option("--seed", "7");
const duration = `${option("--minutes", "2")}m`;

function eventLog(): string {
  const args = [program, "station", "--virtual", duration, "--seed", seed, "--json"];
  const run = spawnSync(process.execPath, args, { encoding: "utf8", maxBuffer: 1 << 28 });
  if (run.status === 0) return run.stdout;
  throw new Error(`longwave station ended with ${run.status}: ${run.stderr}`);
}

const [first, second] = [eventLog(), eventLog()];
const digest = createHash("sha256").update(first).digest("hex");
const matches = first.split("\n").filter((line) => line.includes('"match.entered"')).length;
console.log(
  `${duration} of station, seed ${seed}: ${first.split("\n").length - 1} events, ${matches} songs recognised`,
);
console.log(`${first === second ? "the same bytes twice" : "DIFFERENT"}, SHA-256 ${digest}`);
process.exitCode = first === second && matches > 0 ? 0 : 1;
