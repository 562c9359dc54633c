// Compiles one of the entries of assembly/test, which reach code that the package's core does not export by itself.
import { existsSync, readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../../../..", import.meta.url));
const modules = new Map<string, Promise<WebAssembly.Module>>();

function pathOf(name: string): string {
  return relative(repository, fileURLToPath(new URL(`../../${name}`, import.meta.url)));
}

async function compile(entry: string): Promise<WebAssembly.Module> {
  const compiler = await import("assemblyscript/asc");
  const files = new Map<string, string | Uint8Array>();
  let messages = "";
  const { error } = await compiler.main(
    [
      pathOf(`assembly/test/${entry}.ts`),
      "--config",
      pathOf("asconfig.json"),
      // Nine times faster to compile than the release target, and the results are the same bits.
      ...["--optimizeLevel", "1", "--noAssert", "--outFile", "core.wasm"],
    ],
    {
      stdout: { write: (text: string) => void (messages += text) },
      stderr: { write: (text: string) => void (messages += text) },
      readFile: (name: string, folder: string) => {
        const file = resolve(repository, folder, name);
        return existsSync(file) ? readFileSync(file, "utf8") : null;
      },
      writeFile: (name: string, contents: string | Uint8Array) => void files.set(name, contents),
      listFiles: () => [],
    },
  );
  const binary = files.get("core.wasm");
  if (error !== null || binary === undefined) throw new Error(`${messages}${error?.message ?? ""}`);
  return WebAssembly.compile(binary as Uint8Array<ArrayBuffer>);
}

/** A fresh instance of an entry; its module is compiled once. */
export async function instantiateEntry<T>(entry: string): Promise<T> {
  const module = modules.get(entry) ?? compile(entry);
  modules.set(entry, module);
  return (await WebAssembly.instantiate(await module, {})).exports as T;
}
