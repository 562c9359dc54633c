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
 * Builds one core of a package: `asconfig.json` gives `core-wasm.ts`, `asconfig.NAME.json` gives `NAME-core-wasm.ts`, each
 * from the entry that it names. Several cores keep what one user does not need out of what that user loads.
 * @param {{ packageDirectory: string, config?: string, target?: "release" | "debug", force?: boolean }} options
 * @returns {Promise<{ cached: boolean, hash: string, wasmBytes: number, milliseconds: number }>}
 */
export async function buildCore({
  packageDirectory,
  config = "asconfig.json",
  target = "release",
  force = false,
}) {
  const started = performance.now();
  const hash = sourceHash(packageDirectory, config, target);
  const modulePath = generatedModule(packageDirectory, config, target);
  const stored = storedHash(modulePath);
  if (!force && stored?.hash === hash) return { cached: true, ...stored, milliseconds: 0 };
  const { binary, sourceMap } = await compileCore(packageDirectory, target, config);
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
export function isCoreCached(packageDirectory, config = "asconfig.json", target = "release") {
  const stored = storedHash(generatedModule(packageDirectory, config, target));
  return stored?.hash === sourceHash(packageDirectory, config, target);
}

function generatedModule(packageDirectory, config, target) {
  const name = /^asconfig\.(.+)\.json$/.exec(config)?.[1];
  const prefix = name === undefined ? "" : `${name}-`;
  return join(
    packageDirectory,
    "src/generated",
    `${prefix}core-wasm${target === "debug" ? "-debug" : ""}.ts`,
  );
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
 * @param {string} config
 * @returns {Promise<{ binary: Uint8Array, sourceMap: string | undefined }>}
 */
export async function compileCore(packageDirectory, target, config = "asconfig.json") {
  const asc = await import("assemblyscript/asc");
  const root = join(kernelsDirectory, "../..");
  const { entries = ["assembly/index.ts"] } = JSON.parse(
    readFileSync(join(packageDirectory, config), "utf8"),
  );
  const entry = relative(root, join(packageDirectory, entries[0]));
  const files = new Map();
  const messages = [];
  const { error } = await asc.main(
    [
      entry,
      "--config",
      relative(root, join(packageDirectory, config)),
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
function sourceHash(packageDirectory, config, target) {
  const hash = createHash("sha256").update(`asc ${compilerVersion} ${config} ${target}\n`);
  const folders = new Set([join(kernelsDirectory, "assembly"), join(packageDirectory, "assembly")]);
  for (const folder of folders) {
    for (const file of listSources(folder)) {
      hash.update(relative(kernelsDirectory, file)).update("\0").update(readFileSync(file)).update("\0");
    }
  }
  hash.update(readFileSync(join(packageDirectory, config)));
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
