export { requireArchivePlace } from "./archive-place.ts";
export { fileDecoders } from "./file-decoders.ts";
export { type LiveStation, type LiveStationOptions, openLiveStation } from "./live-station.ts";
export { type OpenStationArchiveOptions, openStationArchive } from "./open-station-archive.ts";
export { type OwnCatalogOptions, openOwnCatalog } from "./own-catalog.ts";
export {
  checkProofSignature,
  type ProofSignature,
  ProofSigner,
  readProofKey,
  type SignedProof,
} from "./proof-signature.ts";
