// Bundles what a user would load and holds it against scripts/byte-budgets.json (gzip bytes). A change that grows a bundle
// beyond its budget raises the budget in the same change, or finds the bytes elsewhere.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const budgets = JSON.parse(readFileSync(`${root}scripts/byte-budgets.json`, "utf8"));
let failures = 0;

for (const { name, entry, maxGzipBytes } of budgets.bundles)
  check(name, await bundledBytes(entry), maxGzipBytes);
const consoleFolder = `${root}apps/console/dist`;
if (existsSync(`${consoleFolder}/index.html`)) {
  check(budgets.console.name, firstLoadBytes(consoleFolder), budgets.console.maxGzipBytes);
}
process.exit(failures === 0 ? 0 : 1);

function check(name, bytes, limit) {
  const ok = bytes <= limit;
  if (!ok) failures++;
  console.log(`${ok ? "ok  " : "OVER"} ${name}: ${bytes} of ${limit} bytes gzip`);
}

/** Gzip size of one entry (source text) with everything that it reaches, minified. */
async function bundledBytes(entry) {
  const id = "\0byte-budget-entry";
  const result = await build({
    root,
    configFile: false,
    logLevel: "error",
    plugins: [
      {
        name: "byte-budget-entry",
        resolveId: (source) => (source === "byte-budget-entry" ? id : undefined),
        load: (source) => (source === id ? entry : undefined),
      },
    ],
    build: {
      write: false,
      minify: true,
      modulePreload: false,
      rollupOptions: {
        input: "byte-budget-entry",
        preserveEntrySignatures: "strict",
        external: /^node:/,
        output: { format: "es" },
      },
    },
  });
  const outputs = (Array.isArray(result) ? result : [result]).flatMap((each) => each.output);
  return outputs.reduce((sum, each) => sum + gzipSync(each.code ?? each.source).length, 0);
}

/** What the browser loads before it can show anything: the page and the assets that the page itself names. */
function firstLoadBytes(folder) {
  const page = readFileSync(`${folder}/index.html`, "utf8");
  let bytes = gzipSync(page).length;
  for (const name of readdirSync(folder, { recursive: true }).map(String)) {
    if (/\.(js|css|svg)$/.test(name) && page.includes(name.replaceAll("\\", "/"))) {
      bytes += gzipSync(readFileSync(`${folder}/${name}`)).length;
    }
  }
  return bytes;
}
