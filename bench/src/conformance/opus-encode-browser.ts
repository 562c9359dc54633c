// npm run conformance -- opus-encode-browser: packets and final ranges of OpusEncoder for 60 combinations of settings in Debian's
// Chromium, which must be those of Node, also after restores of the state. Exit code 1 where they differ, 2 without Chromium.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromiumPath, openChromiumPage } from "../chromium-page.js";
import { encodeForDigest } from "../opus-encode-matrix.js";

if (!existsSync(chromiumPath)) {
  console.error("This needs /usr/bin/chromium.");
  process.exit(2);
}
const combinations = 60;
const pageSource = `
import { encodeForDigest } from ${JSON.stringify(fileURLToPath(new URL("../opus-encode-matrix.js", import.meta.url)))};
window.encodeAll = async () => {
  const pieces = [];
  const result = encodeForDigest(${combinations}, (bytes) => pieces.push(bytes));
  const whole = await new Blob(pieces).arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
  return { ...result, digest: [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("") };
};`;

const hash = createHash("sha256");
const here = encodeForDigest(combinations, (bytes) => {
  hash.update(bytes);
});
const digest = hash.digest("hex");
const { page, version, close } = await openChromiumPage(pageSource);
try {
  await page.waitForFunction("window.encodeAll !== undefined");
  const there = (await page.evaluate("window.encodeAll()")) as typeof here & { digest: string };
  const same = there.digest === digest && there.packets === here.packets;
  const restored = here.differentAfterRestore + there.differentAfterRestore;
  console.log(
    `Chromium ${version} and Node ${process.version}: ${there.packets} packets are ${same ? "the same" : "NOT the same"}, ${restored} different after a restore. SHA-256 ${digest}`,
  );
  process.exitCode = same && restored === 0 ? 0 : 1;
} finally {
  await close();
}
