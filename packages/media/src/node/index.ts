export { decodeAudioBytes, decodeAudioFile, type NodeDecodeOptions } from "./decode-audio-file.ts";
