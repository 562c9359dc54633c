import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { repositoryPath } from "@longwave/testkit";
import { expect, test } from "vitest";

const built = repositoryPath("apps/console/dist");

test.skipIf(!existsSync(`${built}/index.html`))(
  "the first load stays under 250 KB gzip, and the cores of the Lab are not part of it (needs npm run build)",
  () => {
    const page = readFileSync(`${built}/index.html`, "utf8");
    const names = readdirSync(`${built}/assets`);
    const size = (path: string) => gzipSync(readFileSync(`${built}/${path}`)).length;
    const first = names.filter((name) => page.includes(name));
    const bytes = first.reduce((sum, name) => sum + size(`assets/${name}`), size("index.html"));
    expect(first.length).toBeGreaterThanOrEqual(2);
    expect(bytes).toBeGreaterThan(5_000);
    expect(bytes).toBeLessThan(250_000);
    const lab = names.filter((name) => name.includes("lab-worker"));
    expect(lab).toHaveLength(1);
    expect(first).not.toContain(lab[0]);
  },
);
