import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type ConsoleSession, patienceMs } from "./console-session.ts";

/** Playing, selecting and saving what was recorded. */
export function archiveTests(session: ConsoleSession): void {
  test("plays what was half a minute ago, or a moment ago, at a click and from the keyboard", async () => {
    const page = await session.open("archive");
    const timeline = page.getByRole("slider", { name: "Archive timeline" });
    await timeline.waitFor();
    await page.getByRole("button", { name: "30 s ago" }).click();
    await page.getByText(/^Playing /).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await timeline.focus();
    const before = await timeline.getAttribute("aria-valuenow");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => timeline.getAttribute("aria-valuenow")).not.toBe(before);
    await page.keyboard.press("Enter");
    await page.getByText(/^Playing /).waitFor();
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Play", exact: true }).waitFor();
  });

  test("selects a piece of the archive and saves it with a proof that fits", async () => {
    const page = await session.open("archive");
    const timeline = page.getByRole("slider", { name: "Archive timeline" });
    await timeline.waitFor();
    // A machine that is busy makes the station give time up, which leaves gaps: the piece lies inside the longest stretch.
    const stretch = async () => {
      const { recordings } = (await (await fetch(`${session.url}v1/archive`)).json()) as {
        recordings: { spans: { startMs: number; startFrame: number; endFrame: number }[] }[];
      };
      return recordings
        .flatMap(({ spans }) => spans)
        .map((each) => ({ fromMs: each.startMs, ms: (each.endFrame - each.startFrame) / 48 }))
        .reduce((longest, each) => (each.ms > longest.ms ? each : longest), { fromMs: 0, ms: 0 });
    };
    await expect.poll(async () => (await stretch()).ms, { timeout: patienceMs }).toBeGreaterThan(1000);
    const { fromMs, ms } = await stretch();
    const box = (await timeline.boundingBox())!;
    const view = async () => ({
      from: Number(await timeline.getAttribute("aria-valuemin")),
      to: Number(await timeline.getAttribute("aria-valuemax")),
    });
    const xOf = async (at: number) => {
      const { from, to } = await view();
      return box.x + ((at - from) / (to - from)) * box.width;
    };
    // All of the archive is in view and stays so; then the wheel comes closer to the stretch.
    await expect
      .poll(
        async () => {
          await page.getByRole("button", { name: "All", exact: true }).click();
          return (await view()).to > fromMs + ms;
        },
        { timeout: patienceMs },
      )
      .toBe(true);
    await expect
      .poll(
        async () => {
          await page.mouse.move(await xOf(fromMs + ms / 2), box.y + 60);
          await page.mouse.wheel(0, -100);
          const { from, to } = await view();
          return (to - from) / ms;
        },
        { timeout: patienceMs },
      )
      .toBeLessThan(12);
    const whole = page.getByText("WAV is bit-identical to what was decoded then");
    // A turn of the wheel may still be under way while the place is computed: then the next drag hits it.
    await expect
      .poll(
        async () => {
          // A drag that begins at an end of a selection would move that end.
          await timeline.press("Escape");
          await page.mouse.move(await xOf(fromMs + 0.3 * ms), box.y + 60);
          await page.mouse.down();
          await page.mouse.move(await xOf(fromMs + 0.7 * ms), box.y + 60, { steps: 4 });
          await page.mouse.up();
          return whole.isVisible();
        },
        { timeout: patienceMs },
      )
      .toBe(true);
    const save = async (name: string) => {
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name }).click(),
      ]);
      return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
    };
    const wav = await save("Save WAV");
    const proof = JSON.parse((await save("Save proof")).bytes.toString()) as { wav: { sha256: string } };
    expect(wav.name).toMatch(/\.wav$/);
    expect(createHash("sha256").update(wav.bytes).digest("hex")).toBe(proof.wav.sha256);
    const opus = await save("Save Opus");
    expect(opus.bytes.subarray(0, 4).toString()).toBe("OggS");
  });
}
