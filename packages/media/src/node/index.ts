export { decodeAudioBytes, decodeAudioFile, type NodeDecodeOptions } from "./decode-audio-file.ts";
export { type FfmpegPiece, streamWithFfmpeg } from "./ffmpeg.ts";
