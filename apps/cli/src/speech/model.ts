import { existsSync } from "node:fs";
import { join } from "node:path";
import { isNonCommercial, publishedModels } from "@longwave/tts";
import { downloadModel, exportModel, verifyModel, verifyOnnx } from "@longwave/tts/node";
import pc from "picocolors";

/** Of all published models. */
const samplesPerFrame = 1920;

/** `longwave model list`. */
export function listModels(options: { json?: boolean }): void {
  if (options.json) console.log(JSON.stringify({ models: publishedModels }));
  else {
    for (const { name, layers, defaultVoice } of publishedModels) {
      console.log(`${name}\t${layers} layers\tdefault voice ${defaultVoice}`);
    }
  }
}

/** `longwave model download [NAME]`. */
export async function download(
  model: string,
  options: { outDir: string; hfRepo?: string; hfToken?: string; voice?: string[]; json?: boolean },
): Promise<void> {
  let shown = "";
  const result = await downloadModel({
    model,
    outDirectory: options.outDir,
    repository: options.hfRepo,
    token: options.hfToken ?? process.env["HF_TOKEN"],
    endpoint: process.env["HF_ENDPOINT"],
    voices: options.voice,
    onProgress: (file, done, total) => {
      if (!process.stderr.isTTY) return;
      const text = `${file} ${(done / 2 ** 20).toFixed(0)}${total === undefined ? "" : ` of ${(total / 2 ** 20).toFixed(0)}`} MiB`;
      if (text === shown) return;
      shown = text;
      process.stderr.write(`\r${text}\x1b[K`);
    },
  });
  if (shown !== "") process.stderr.write("\r\x1b[K");
  for (const { id, license } of result.voices) {
    if (isNonCommercial(license))
      process.stderr.write(`longwave: the voice ${id} is licensed ${license}: not for commercial use.\n`);
    else if (license === "unstated")
      process.stderr.write(
        `longwave: the publisher of the voice ${id} states no licence; ask before using it.\n`,
      );
  }
  if (options.json) console.log(JSON.stringify(result));
  else {
    console.log(
      `${result.directory}: ${result.fetched.length} files fetched, ${result.skipped.length} were there.`,
    );
    for (const { id, license, attribution } of result.voices)
      console.log(`voice ${id}: ${license}, ${attribution}`);
    if (!result.hasCloning)
      console.log("These weights cannot make voices from recordings (no token for those that can).");
  }
}

/** `longwave model export`. */
export function exportGraphs(options: {
  modelsDir: string;
  outDir?: string;
  int8?: boolean;
  json?: boolean;
}): void {
  const outDirectory = options.outDir ?? options.modelsDir;
  const { graphs } = exportModel(options.modelsDir, outDirectory, { int8: options.int8 });
  if (options.json) console.log(JSON.stringify({ directory: outDirectory, graphs }));
  else for (const { name, file } of graphs) console.log(`${name}: ${outDirectory}/${file}`);
}

/** `longwave model verify DIRECTORY`. */
export async function verify(directory: string, options: { json?: boolean }): Promise<void> {
  const inModel = join(directory, "onnx");
  const graphs = existsSync(join(inModel, "manifest.json")) ? inModel : directory;
  const checks = [...verifyModel(directory), ...(await verifyOnnx(graphs, samplesPerFrame))];
  if (options.json) console.log(JSON.stringify({ checks }));
  else
    for (const { name, ok, detail } of checks)
      console.log(`${ok ? pc.green("pass") : pc.red("FAIL")} ${name}: ${detail}`);
  if (checks.some(({ ok }) => !ok)) process.exitCode = 3;
}
