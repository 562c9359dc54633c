// Builds the console with Vite, unless nothing that it is made of has changed.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL(".", import.meta.url));
const repository = fileURLToPath(new URL("../..", import.meta.url));
const quiet = process.argv.includes("--quiet");
const stamp = `${root}dist/.sources`;

const hash = createHash("sha256");
for (const file of ["index.html", "package.json", "vite.config.ts"]) addFile(`${root}${file}`);
addFolder(`${root}src`);
addFolder(`${root}public`);
for (const name of ["base", "dsp", "fingerprint", "kernels", "opus"])
  addFolder(`${repository}packages/${name}/src`);
const digest = hash.digest("hex");

if (existsSync(stamp) && readFileSync(stamp, "utf8") === digest) {
  if (!quiet) console.log("console: up to date");
} else {
  await build({ root, configFile: `${root}vite.config.ts`, logLevel: quiet ? "warn" : "info" });
  writeFileSync(stamp, digest);
}

function addFolder(folder) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    if (entry.isDirectory()) addFolder(`${folder}/${entry.name}`);
    else addFile(`${folder}/${entry.name}`);
  }
}

function addFile(path) {
  hash.update(path.slice(repository.length)).update("\0").update(readFileSync(path));
}
