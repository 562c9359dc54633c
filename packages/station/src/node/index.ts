export { type LiveStation, type LiveStationOptions, openLiveStation } from "./live-station.ts";
