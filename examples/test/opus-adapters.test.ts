// Runs the examples of examples/opus-adapters.
import { expect, test, vi } from "vitest";

test("webcodecs.ts decodes as much as it encodes, from time 0 on", async () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  const error = vi.spyOn(console, "error");
  await import("../opus-adapters/webcodecs.ts");
  const lines = log.mock.calls.map(([line]) => String(line));
  log.mockRestore();
  expect(error).not.toHaveBeenCalled();
  expect(lines[0]).toBe("0 us: 648 frames"); // 312 frames of pre-skip are dropped
  const frames = lines.reduce((sum, line) => sum + Number(/: (\d+) frames$/.exec(line)?.[1]), 0);
  expect(frames).toBeGreaterThanOrEqual(24_000);
});

test("discord.ts hears every frame although a packet is lost", async () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  await import("../opus-adapters/discord.ts");
  const [line] = log.mock.calls.at(-1)!;
  log.mockRestore();
  expect(line).toBe("24000 frames heard of 24000");
});
