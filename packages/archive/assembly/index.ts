// Hashes of the archive: CRC32C of decoded sound and of chunks, XXH64 of chunks. Their bytes lie in the stage.
export { crc32c, prepareTables } from "./crc32c";
export { stageAddress, stageBytes } from "./stage";
export { xxHash64Begin, xxHash64End, xxHash64Stripes } from "./xxhash64";
