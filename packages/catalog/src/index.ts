export { Catalog, type CatalogOptions, type Enrollment } from "./catalog.ts";
export { CatalogError, type CatalogErrorCode } from "./errors.ts";
export type { AudioInput, Identification, IdentifyOptions, TrackMatch } from "./identification.ts";
export { type LiveIdentification, LiveMatcher, type LiveOptions } from "./live-matcher.ts";
export { checkTrackId, type Track, type TrackMetadata } from "./track.ts";
export { type CatalogReport, verifyCatalog } from "./verification.ts";
