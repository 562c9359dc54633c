import { type AudioDecoder, opusFileDecoder } from "@longwave/media";
import { createSeekableDecoder } from "@longwave/opus";

/** Decoders that the facade of media takes by argument: Opus in Ogg and WebM is decoded by our own codec. */
export const fileDecoders: readonly AudioDecoder[] = [opusFileDecoder(createSeekableDecoder)];
