// npm run bench -- opus-start: from the start of the import to the first decoded frame, each time in a fresh process, bundled
// and minified as an application would load it, beside libopus-wasm. Wall time, median of 15; no other work in between.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createEncoder } from "libopus-wasm";
import { build } from "vite";
import { printReport } from "../side-by-side.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "longwave-start-"));
const encoder = await createEncoder({ channels: 2, bitrate: 64_000 });
const packet = JSON.stringify([
  ...encoder.encodeFloat(Float32Array.from({ length: 1920 }, (_, i) => Math.sin(i / 20) / 3)),
]);
encoder.free();

const programs: Record<string, string> = {
  longwave: `import { OpusDecoder } from "@longwave/opus/decoder";
    new OpusDecoder({ channels: 2 }).decode(Uint8Array.from(${packet}), new Float32Array(11520));`,
  "libopus-wasm": `import { createDecoder } from "libopus-wasm";
    (await createDecoder({ channels: 2, sampleRate: 48000 })).decodeFloat(Uint8Array.from(${packet}));`,
};

try {
  const rows = [];
  const times = new Map<string, number[]>();
  for (const [name, source] of Object.entries(programs)) {
    writeFileSync(join(folder, `${name}.mjs`), await bundled(source));
    const starter = `const began = performance.now(); await import("./${name}.mjs"); console.log(performance.now() - began);`;
    writeFileSync(join(folder, `start-${name}.mjs`), starter);
    times.set(name, []);
  }
  for (let round = 0; round < 16; round++) {
    for (const [name, list] of times) {
      const printed = execFileSync(process.execPath, [join(folder, `start-${name}.mjs`)], {
        encoding: "utf8",
      });
      if (round > 0) list.push(Number(printed));
    }
  }
  for (const [name, list] of times) {
    list.sort((a, b) => a - b);
    rows.push({
      decoder: name,
      "first frame, ms": list[7]!.toFixed(1),
      fastest: list[0]!.toFixed(1),
      slowest: list[14]!.toFixed(1),
      target: name === "longwave" ? `<= 15: ${list[7]! <= 15 ? "ok" : "MISSED"}` : "",
    });
  }
  printReport("From import to the first Opus frame", rows);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function bundled(source: string): Promise<string> {
  const result = await build({
    root,
    configFile: false,
    logLevel: "error",
    plugins: [
      {
        name: "program",
        resolveId: (id) => (id === "program" ? "\0program" : undefined),
        load: (id) => (id === "\0program" ? source : undefined),
      },
    ],
    ssr: { noExternal: true },
    build: {
      ssr: true,
      write: false,
      minify: true,
      target: "node20",
      rollupOptions: { input: "program", output: { format: "es" } },
    },
  });
  const [first] = (Array.isArray(result) ? result : [result]) as { output: { code?: string }[] }[];
  return first?.output[0]?.code ?? "";
}
