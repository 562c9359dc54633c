// The core of @longwave/opus/decoder; imported for its effect.
import { provideCore } from "./core.ts";
import { coreWasmBase64 } from "./generated/core-wasm.ts";

provideCore(coreWasmBase64, false);
