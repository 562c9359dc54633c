import type { CDPSession, Locator, Page } from "playwright-core";
import { expect, test } from "vitest";
import type { ConsoleSession } from "./console-session.ts";

type Point = readonly [x: number, y: number];

/** Fingers of the browser's own input, not events made by the page. */
class Fingers {
  readonly #session: CDPSession;

  private constructor(session: CDPSession) {
    this.#session = session;
  }

  static async on(page: Page): Promise<Fingers> {
    const session = await page.context().newCDPSession(page);
    await session.send("Emulation.setTouchEmulationEnabled", { enabled: true, maxTouchPoints: 2 });
    return new Fingers(session);
  }

  /** Puts fingers down, moves them straight to where they end, and lifts them. */
  async drag(from: readonly Point[], to: readonly Point[], steps = 4): Promise<void> {
    await this.#send("touchStart", from);
    for (let step = 1; step <= steps; step++) {
      const share = step / steps;
      await this.#send(
        "touchMove",
        from.map(([x, y], i) => [x + (to[i]![0] - x) * share, y + (to[i]![1] - y) * share] as const),
      );
    }
    await this.#send("touchEnd", []);
  }

  #send(type: "touchStart" | "touchMove" | "touchEnd", points: readonly Point[]): Promise<unknown> {
    const touchPoints = points.map(([x, y], id) => ({ x, y, id }));
    return this.#session.send("Input.dispatchTouchEvent", { type, touchPoints });
  }

  async end(): Promise<void> {
    await this.#session.send("Emulation.setTouchEmulationEnabled", { enabled: false });
    await this.#session.detach();
  }
}

/** Two fingers that move apart by `factor`, about a place of an element. */
async function pinch(fingers: Fingers, target: Locator, factor: number, share = 0.5): Promise<void> {
  await target.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await target.boundingBox())!;
  const [middle, level, reach] = [x + share * width, y + height / 2, 40];
  await fingers.drag(
    [
      [middle - reach, level],
      [middle + reach, level],
    ],
    [
      [middle - reach * factor, level],
      [middle + reach * factor, level],
    ],
  );
}

/** What fingers do: dispatched as the browser's own touches. */
export function touchTests(session: ConsoleSession): void {
  test("two fingers zoom and move the timeline, one selects, a tap plays", async () => {
    const page = await session.open("archive");
    const fingers = await Fingers.on(page);
    const timeline = page.getByRole("slider", { name: "Archive timeline" });
    await timeline.waitFor();
    const view = async () => {
      const from = Number(await timeline.getAttribute("aria-valuemin"));
      return { from, length: Number(await timeline.getAttribute("aria-valuemax")) - from };
    };
    await timeline.press("Escape");
    await page.getByText("Nothing selected").waitFor();
    await page.getByRole("button", { name: "All", exact: true }).click();
    const all = await view();
    await pinch(fingers, timeline, 4);
    await expect.poll(async () => (await view()).length / all.length).toBeCloseTo(1 / 4, 1);
    const near = await view();
    const { x, y, width, height } = (await timeline.boundingBox())!;
    const at = (share: number): Point => [x + share * width, y + height / 2];
    await fingers.drag([at(0.4), at(0.5)], [at(0.6), at(0.7)]);
    // A fifth of the width to the right: what is in view is earlier.
    await expect.poll(async () => (near.from - (await view()).from) / near.length).toBeCloseTo(0.2, 1);
    expect((await view()).length / near.length).toBeCloseTo(1, 1);
    expect(await page.getByText("Nothing selected").isVisible()).toBe(true);
    await fingers.drag([at(0.3)], [at(0.6)]);
    await page.getByRole("button", { name: "Play it" }).waitFor();
    await page.getByRole("button", { name: "Clear" }).click();
    await fingers.drag([at(0.5)], [at(0.5)], 0);
    await page.getByText(/^Playing /).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("button", { name: "Live", exact: true }).click();
    await fingers.end();
  });

  test("two fingers zoom the plots, and so do the keys", async () => {
    const page = await session.open("links");
    const fingers = await Fingers.on(page);
    const dsl = page.locator("section[aria-label=DSL]");
    const began = dsl.locator(".course-times > span").first();
    await began.getByText("5 min ago").waitFor();
    await pinch(fingers, dsl.locator(".course-plot").first(), 3, 0.7);
    await began.getByText("5 min ago").waitFor({ state: "detached" });
    const zoom = dsl.getByRole("group", { name: /^Zoom of the plots of DSL/ });
    await zoom.getByRole("button", { name: "Show all of the plots of DSL" }).press("Escape");
    await began.getByText("5 min ago").waitFor();
    await zoom.getByRole("button", { name: "Come closer" }).press("+");
    await began.getByText("3:45 min ago").waitFor();
    await zoom.getByRole("button", { name: "Come closer" }).press("ArrowRight");
    await began.getByText("3:30 min ago").waitFor();
    await zoom.getByRole("button", { name: "Show all" }).click();
    await began.getByText("5 min ago").waitFor();
    await fingers.end();
  });
}
