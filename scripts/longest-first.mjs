import { BaseSequencer } from "vitest/node";

/** Files that wait for browsers, stations or processes: they begin first, and others run while they wait. */
const longest = [
  "apps/console/test/console.test.ts",
  "apps/cli/test/station.test.ts",
  "packages/opus/test/silk/encoder.test.ts",
  "packages/opus/test/silk/decoder.test.ts",
  "apps/server/test/app.test.ts",
  "packages/media/test/decode-audio-file.test.ts",
  "packages/catalog/test/compaction.test.ts",
  "packages/fingerprint/test/streaming.test.ts",
  "packages/archive/test/exactness.test.ts",
];

/** Orders test files so that no long one is left alone at the end; all others as vitest orders them. */
export class LongestFirst extends BaseSequencer {
  /** @param {import("vitest/node").TestSpecification[]} files */
  async sort(files) {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }) => {
      const at = longest.findIndex((name) => moduleId.replaceAll("\\", "/").endsWith(name));
      return at < 0 ? longest.length : at;
    };
    return sorted
      .map((file, index) => ({ file, index }))
      .sort((a, b) => rank(a.file) - rank(b.file) || a.index - b.index)
      .map(({ file }) => file);
  }
}
