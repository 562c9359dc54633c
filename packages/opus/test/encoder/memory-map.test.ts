import { instantiateCore } from "@longwave/kernels";
import { expect, test } from "vitest";
import { coreWasmBase64 } from "../../src/generated/codec-core-wasm.ts";

test("the encoder's work memory stays within its regions", () => {
  const core = instantiateCore<{ encoderScratchFits(): number }>(coreWasmBase64);
  expect(core.encoderScratchFits()).toBe(1);
});
