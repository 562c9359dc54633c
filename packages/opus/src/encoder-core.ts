import { type CoreExports, type CoreInstance, OpusCore } from "./core.ts";
import { OpusError } from "./errors.ts";

/** What a core that encodes exports beside the rest; see assembly/encoder-exports.ts. */
export interface EncoderExports extends CoreExports {
  encoderSlotBytes(): number;
  encoderInit(slot: number, sampleRate: number, channels: number, application: number): void;
  encoderReset(slot: number): void;
  encoderStateValid(at: number, sampleRate: number, channels: number, application: number): number;
  encode(slot: number, frames: number, outBytes: number, format: number): number;
  encoderSetting(slot: number, which: number): number;
  setEncoderSetting(slot: number, which: number, value: number): void;
  encoderFinalRange(slot: number): number;
  setLfe(slot: number): void;
  surroundBytes(channels: number): number;
  analyseSurroundChannel(
    surround: number,
    channels: number,
    channel: number,
    frames: number,
    rate: number,
  ): void;
  finishSurround(surround: number, channels: number): void;
  setSurroundMask(slot: number, surround: number, channels: number, channel: number, right: number): void;
  encoderInDtx(slot: number): number;
  encoderLastMode(slot: number): number;
  encoderLastBandwidth(slot: number): number;
}

/**
 * The instance of a core that can encode.
 * @throws OpusError `opus/bad-argument`
 */
export function encoderInstanceOf(core: OpusCore): CoreInstance<EncoderExports> {
  if (OpusCore.encodingTextOf(core) === undefined) {
    throw new OpusError(
      "opus/bad-argument",
      "The core was made before @longwave/opus was loaded and only decodes; make it afterwards.",
    );
  }
  return OpusCore.instanceOf(core) as CoreInstance<EncoderExports>;
}

const builds = new Map<string, number>();

/** FNV-1a hash of the core's binary: state images are only good for the same one. */
export function coreBuildHash(core: OpusCore): number {
  const text = OpusCore.encodingTextOf(core) ?? "";
  let build = builds.get(text);
  if (build !== undefined) return build;
  build = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) build = Math.imul(build ^ text.charCodeAt(i), 0x01000193);
  build >>>= 0;
  builds.set(text, build);
  return build;
}
