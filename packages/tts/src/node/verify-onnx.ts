import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkOnnxManifest } from "../onnx/onnx-engine.ts";
import { OnnxSessions, type OnnxTensor } from "../onnx/onnx-runtime.ts";
import { loadOnnxRuntime } from "./open-onnx.ts";
import type { ModelCheck } from "./verify-model.ts";

/**
 * Runs every exported graph of a folder once on zeros; sizes that vary are 1, or for sound one frame. No checks where nothing was exported.
 * Never throws for what is wrong with the graphs.
 * @param runtime folder of ONNX Runtime, see `loadOnnxRuntime`
 */
export async function verifyOnnx(
  directory: string,
  samplesPerFrame: number,
  runtime?: string,
): Promise<ModelCheck[]> {
  const path = join(directory, "manifest.json");
  if (!existsSync(path)) return [];
  const checks: ModelCheck[] = [];
  try {
    const manifest: unknown = JSON.parse(readFileSync(path, "utf8"));
    checkOnnxManifest(manifest, path);
    const found = await loadOnnxRuntime(runtime);
    checks.push({ name: "onnx runtime", ok: true, detail: `${found.name} ${found.version}` });
    const isNative = found.name === "onnxruntime-node";
    const locate = isNative ? (file: string) => join(directory, file) : undefined;
    for (const graph of manifest.graphs) {
      try {
        const read = (file: string) => new Uint8Array(readFileSync(join(directory, file)));
        const sessions = await OnnxSessions.load(found.runtime, manifest, read, {
          names: [graph.name],
          locate,
        });
        const feeds: Record<string, OnnxTensor> = {};
        for (const { name, type, shape } of graph.inputs) {
          const dims = shape.map((size) =>
            typeof size === "number" ? size : size === "samples" ? samplesPerFrame : 1,
          );
          const count = dims.reduce((product, size) => product * size, 1);
          feeds[name] =
            type === "int64"
              ? sessions.integers(Array<number>(count).fill(name === "offset" ? 1 : 0), dims)
              : sessions.floats(new Float32Array(count), dims);
        }
        const results = await sessions.run(graph.name, feeds);
        await sessions.close();
        const isWhole = Object.values(results).every(
          ({ data }) => data instanceof Float32Array && data.every(Number.isFinite),
        );
        checks.push({
          name: `onnx ${graph.name}`,
          ok: isWhole,
          detail: isWhole ? `${Object.keys(results).length} finite outputs` : "the result is not finite",
        });
      } catch (error) {
        checks.push({ name: `onnx ${graph.name}`, ok: false, detail: (error as Error).message });
      }
    }
  } catch (error) {
    checks.push({ name: "onnx", ok: false, detail: (error as Error).message });
  }
  return checks;
}
