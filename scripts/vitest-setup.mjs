// The tests import TypeScript sources, which need the inlined WASM cores; building them is a hash look-up when nothing changed.
import { buildAllKernels } from "./build-kernels.mjs";

export default async function setup() {
  await buildAllKernels({ quiet: true });
}
