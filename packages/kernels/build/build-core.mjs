// Compiles a package's AssemblyScript core in this process and inlines the bytes into a TypeScript module.
//
// A package with a core has an asconfig.json (targets "release" and "debug", entry assembly/index.ts). The result is
// src/generated/core-wasm.ts, which exports the WASM bytes as base64 text of a raw DEFLATE stream (see decodeCore in
// src/instantiate.ts), so that constructors stay synchronous in Node, browsers, workers and worklets and the text
// stays small: base64 hides the redundancy of a plain binary from gzip. The result is cached by a hash of the sources
// and the compiler version.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";

const kernelsDirectory = fileURLToPath(new URL("..", import.meta.url));
const compilerVersion = createRequire(import.meta.url)("assemblyscript/package.json").version;

/**
 * Builds one package's core.
 * @param {{ packageDirectory: string, target?: "release" | "debug", force?: boolean }} options
 * @returns {Promise<{ cached: boolean, hash: string, wasmBytes: number, milliseconds: number }>}
 */
export async function buildCore({ packageDirectory, target = "release", force = false }) {
  const started = performance.now();
  const hash = sourceHash(packageDirectory, target);
  const modulePath = generatedModule(packageDirectory, target);
  const stored = storedHash(modulePath);
  if (!force && stored?.hash === hash) return { cached: true, ...stored, milliseconds: 0 };
  const { binary, sourceMap } = await compileCore(packageDirectory, target);
  mkdirSync(dirname(modulePath), { recursive: true });
  const text = [
    `// Generated from ${basename(packageDirectory)}/assembly by the kernels build; do not edit.`,
    `// hash ${hash}, ${binary.length} bytes`,
    "/** The WASM core for `instantiateCore`: base64 of its size (u32 little-endian) and its raw DEFLATE stream. */",
    `export const coreWasmBase64: string =\n  "${encodeCore(binary)}";`,
    "",
  ];
  if (sourceMap !== undefined) {
    text.push(
      "/** Source map of the debug core (JSON). */",
      `export const coreSourceMap: string = ${JSON.stringify(sourceMap)};`,
      "",
    );
  }
  const temporary = `${modulePath}.${process.pid}.tmp`;
  writeFileSync(temporary, text.join("\n"));
  renameSync(temporary, modulePath);
  return {
    cached: false,
    hash,
    wasmBytes: binary.length,
    milliseconds: Math.round(performance.now() - started),
  };
}

/** True if the generated module belongs to the sources as they are now. */
export function isCoreCached(packageDirectory, target = "release") {
  return storedHash(generatedModule(packageDirectory, target))?.hash === sourceHash(packageDirectory, target);
}

function generatedModule(packageDirectory, target) {
  return join(packageDirectory, "src/generated", target === "debug" ? "core-wasm-debug.ts" : "core-wasm.ts");
}

/** What a generated module says of itself in its first lines. */
function storedHash(modulePath) {
  if (!existsSync(modulePath)) return undefined;
  const head = readFileSync(modulePath, "utf8").slice(0, 300);
  const found = /hash ([0-9a-f]{64}), (\d+) bytes/.exec(head);
  return found === null ? undefined : { hash: found[1], wasmBytes: Number(found[2]) };
}

/**
 * Compiles and returns the binary without writing anything.
 * @param {string} packageDirectory
 * @param {"release" | "debug"} target
 * @returns {Promise<{ binary: Uint8Array, sourceMap: string | undefined }>}
 */
export async function compileCore(packageDirectory, target) {
  const asc = await import("assemblyscript/asc");
  const root = join(kernelsDirectory, "../..");
  const entry = relative(root, join(packageDirectory, "assembly/index.ts"));
  const files = new Map();
  const messages = [];
  const { error } = await asc.main(
    [
      entry,
      "--config",
      relative(root, join(packageDirectory, "asconfig.json")),
      "--target",
      target,
      "--outFile",
      "core.wasm",
      ...(target === "debug" ? ["--sourceMap"] : []),
    ],
    {
      stdout: { write: (text) => void messages.push(text) },
      stderr: { write: (text) => void messages.push(text) },
      readFile: (name, folder) => {
        const path = resolve(root, folder, name);
        return existsSync(path) ? readFileSync(path, "utf8") : null;
      },
      writeFile: (name, contents) => void files.set(name, contents),
      listFiles: () => [],
    },
  );
  const binary = files.get("core.wasm");
  if (error !== null || binary === undefined) {
    throw new Error(`AssemblyScript failed for ${entry}:\n${messages.join("")}${error?.message ?? ""}`);
  }
  return { binary, sourceMap: files.get("core.wasm.map") };
}

/**
 * The text form of a binary, read by `decodeCore`.
 * @param {Uint8Array} binary
 * @returns {string}
 */
export function encodeCore(binary) {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(binary.length);
  return Buffer.concat([size, deflateRawSync(binary, { level: 9, memLevel: 9 })]).toString("base64");
}

/** Hash of everything that the binary depends on. */
function sourceHash(packageDirectory, target) {
  const hash = createHash("sha256").update(`asc ${compilerVersion} ${target}\n`);
  const folders = new Set([join(kernelsDirectory, "assembly"), join(packageDirectory, "assembly")]);
  for (const folder of folders) {
    for (const file of listSources(folder)) {
      hash.update(relative(kernelsDirectory, file)).update("\0").update(readFileSync(file)).update("\0");
    }
  }
  hash.update(readFileSync(join(packageDirectory, "asconfig.json")));
  hash.update(readFileSync(fileURLToPath(import.meta.url)));
  return hash.digest("hex");
}

function listSources(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((name) => name.endsWith(".ts"))
    .sort();
}
