import { expect, test } from "vitest";
import { runHere } from "./run-here.ts";

test("bench measures what was asked for and says on what machine", async () => {
  const run = await runHere(["bench", "opus", "--seconds", "5", "--runs", "1", "--json"]);
  expect([run.code, run.stderr]).toEqual([0, ""]);
  const { machine, seconds, rows } = JSON.parse(run.stdout);
  expect(machine).toMatchObject({ node: process.versions.node, cores: expect.any(Number) });
  expect(seconds).toBe(5);
  expect(rows.map(({ what }: { what: string }) => what)).toEqual([
    "Opus encoder, music, stereo, 96 kbit/s, complexity 5",
    "Opus decoder, the same packets",
  ]);
  for (const row of rows) {
    expect(row).toMatchObject({ group: "opus", runs: 1, spread: 0 });
    expect(row.timesRealTime).toBeGreaterThan(0);
    expect(Number.isFinite(row.timesRealTime)).toBe(true);
  }
});

test("bench refuses what it cannot measure", async () => {
  expect((await runHere(["bench", "coffee"])).code).toBe(2);
  expect((await runHere(["bench", "--seconds", "1"])).stderr).toMatch(/from 5 to 3600/);
});
