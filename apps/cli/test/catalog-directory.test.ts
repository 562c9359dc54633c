import { isLongwaveError } from "@longwave/base";
import { expect, test } from "vitest";
import { catalogDirectory } from "../src/catalog-directory.ts";

const named = (value: string | undefined) => ({
  catalog: { value, from: "--catalog", origin: "flag" as const },
});

test("the address of a service is refused, without its secrets, instead of becoming a directory", () => {
  for (const place of ["postgres://radio:secret@db/radio", "nats://broker:4222", "s3://radio/catalog"]) {
    let error: unknown;
    try {
      catalogDirectory(named(place), "station");
    } catch (caught) {
      error = caught;
    }
    expect(isLongwaveError(error, "cli/bad-catalog"), place).toBe(true);
    expect((error as Error).message).toContain("--catalog");
    expect((error as Error).message).not.toContain("secret");
  }
});

test("a directory stays what it is", () => {
  expect(catalogDirectory(named(undefined), "serve")).toBeUndefined();
  for (const place of ["./catalog", "/srv/catalog", "C:\\catalog", "postgres"])
    expect(catalogDirectory(named(place), "serve")).toBe(place);
});
