export { fileDecoders } from "./file-decoders.ts";
export { type LiveStation, type LiveStationOptions, openLiveStation } from "./live-station.ts";
