import { expect, test } from "vitest";
import { type ConsoleSession, type Screen, screens, show } from "./console-session.ts";
import { readShifts, worstWindow } from "./layout-shift.ts";

/** Most that a screen may move by itself, as cumulative layout shift: half of what Web Vitals calls good. Rows that come into the list of events count 0.002 each. */
const mostShift = 0.05;

/** A screen is full once this is there. */
const filled: Readonly<Record<Screen, string>> = {
  "on-air": "section[aria-label=Studio] .progress-bar",
  links: "section[aria-label=DSL] polyline",
  archive: "canvas.timeline",
  identify: ".drop",
  speak: "#voice option:nth-child(2)",
  lab: ".drop",
  catalog: "tbody tr",
  system: ".chain .badge.good",
};

/** Comes last of what happens in a wide window: it looks at all of it. */
export function layoutShiftTests(session: ConsoleSession): void {
  test(`cumulative layout shift of every screen is at most ${mostShift}: while it fills itself, and in all that was done here`, async () => {
    const fresh = await session.newPage("on-air");
    for (const screen of screens) {
      await show(fresh, screen);
      await fresh.locator(filled[screen]).first().waitFor({ state: "attached" });
    }
    const shifts = [...(await readShifts(fresh)), ...(await session.shifts())];
    for (const screen of screens) {
      const { score, what } = worstWindow(shifts.filter((each) => each.screen === `#/${screen}`));
      expect(score, `${screen}\n${what.join("\n")}`).toBeLessThanOrEqual(mostShift);
    }
    // The watch does see a screen that is pushed down.
    await fresh.evaluate(() => {
      document.querySelector("main")!.style.paddingTop = "200px";
    });
    expect(worstWindow(await readShifts(fresh)).score).toBeGreaterThan(mostShift);
    await fresh.close();
  });
}
