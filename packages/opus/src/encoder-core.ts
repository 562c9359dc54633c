import { CoreInstance, OpusCore, type SharedExports } from "./core.ts";
import { coreWasmBase64 } from "./generated/encoder-core-wasm.ts";

/** What the encoder's core exports; see assembly/encoder-index.ts. */
export interface EncoderExports extends SharedExports {
  encoderInit(slot: number, sampleRate: number, channels: number, application: number): void;
  encoderReset(slot: number): void;
  encode(slot: number, frames: number, outBytes: number, format: number): number;
  encoderSetting(slot: number, which: number): number;
  setEncoderSetting(slot: number, which: number, value: number): void;
  encoderFinalRange(slot: number): number;
  encoderInDtx(slot: number): number;
  encoderLastMode(slot: number): number;
  encoderLastBandwidth(slot: number): number;
}

const instances = new WeakMap<OpusCore, CoreInstance<EncoderExports>>();

/** The memory of a core's encoders; made with the first of them, so that who only decodes does not pay for it. */
export function encoderInstanceOf(core: OpusCore): CoreInstance<EncoderExports> {
  let instance = instances.get(core);
  if (instance === undefined) {
    instance = new CoreInstance<EncoderExports>(coreWasmBase64, OpusCore.memoryPagesOf(core));
    instances.set(core, instance);
  }
  return instance;
}

let build: number | undefined;

/** FNV-1a hash of the core's binary: state images are only good for the same one. */
export function coreBuildHash(): number {
  if (build !== undefined) return build;
  let hash = 0x811c9dc5;
  for (let i = 0; i < coreWasmBase64.length; i++) {
    hash = Math.imul(hash ^ coreWasmBase64.charCodeAt(i), 0x01000193);
  }
  build = hash >>> 0;
  return build;
}
