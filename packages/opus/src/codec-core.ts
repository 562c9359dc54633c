// The core of @longwave/opus; imported for its effect.
import { provideCore } from "./core.ts";
import { coreWasmBase64 } from "./generated/codec-core-wasm.ts";

provideCore(coreWasmBase64, true);
