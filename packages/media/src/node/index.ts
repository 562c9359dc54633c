export { decodeAudioBytes, decodeAudioFile } from "./decode-audio-file.ts";
