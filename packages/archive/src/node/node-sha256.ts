import { createHash } from "node:crypto";
import type { Sha256 } from "../sha256.ts";

/** SHA-256 of Node, for `ArchiveOptions.sha256`. */
export function nodeSha256(): Sha256 {
  const hash = createHash("sha256");
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => hash.copy().digest("hex"),
  };
}
