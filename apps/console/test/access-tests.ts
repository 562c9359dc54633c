import type { CDPSession } from "playwright-core";
import { expect, test } from "vitest";
import { type ConsoleSession, screens } from "./console-session.ts";
import { focusable, readFocus } from "./focus-watch.ts";

/** What keyboards, fingers, screen readers, small and large windows, and weak eyes need. Changes the size of the window. */
export function accessTests(session: ConsoleSession): void {
  test("the Tab key reaches every control of every screen, and one sees where it is", async () => {
    for (const screen of screens) {
      const page = await session.open(screen);
      await page.locator("main h1").waitFor();
      await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
      const wanted = await page.evaluate(
        (selector) =>
          [...document.querySelectorAll<HTMLElement>(selector)].filter(
            (each) => each.getClientRects().length > 0,
          ).length,
        focusable,
      );
      await Promise.all(Array.from({ length: wanted + 8 }, () => page.keyboard.press("Tab")));
      const { missed, unseen } = await page.evaluate(readFocus, focusable);
      expect(missed, screen).toEqual([]);
      expect(unseen, screen).toEqual([]);
    }
  });

  test("what is read out by itself does not change with every second", async () => {
    const page = await session.open("archive");
    await page.getByRole("button", { name: "30 s ago" }).click();
    const line = page.getByText(/^Playing /);
    const before = await line.innerText();
    await page.evaluate(watchLiveRegions);
    await expect.poll(() => line.innerText()).not.toBe(before);
    expect(await page.evaluate(readLiveRegions)).toEqual([]);
    await page.getByRole("button", { name: "Stop" }).click();
    // The watch does see one that changes.
    await page.evaluate(() => {
      const region = document.querySelector("[role=status]")!;
      region.append("Something new");
      region.lastChild!.remove();
    });
    expect((await page.evaluate(readLiveRegions)).length).toBeGreaterThan(0);
  });

  test("every screen, narrow and wide, dark and light: no sideways scrolling, nameless or small control, faint text, motion or error", async () => {
    const tree = await session.page.context().newCDPSession(session.page);
    for (const [width, colorScheme] of [
      [360, "light"],
      [360, "dark"],
      [820, "light"],
      [2560, "dark"],
    ] as const) {
      await session.page.setViewportSize({ width, height: 800 });
      await session.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      for (const screen of screens) {
        const page = await session.open(screen);
        await page.locator("main h1").waitFor();
        const found = await page.evaluate(inspect);
        expect(found, `${screen} at ${width}`).toEqual({
          overflow: 0,
          nameless: 0,
          headings: 1,
          skipped: [],
          twice: [],
          moving: 0,
          small: [],
          cutOff: [],
        });
        if (width === 360 && colorScheme === "light") expect(await nameless(tree), screen).toEqual([]);
        expect(await page.evaluate(lowContrast), `${screen}, ${colorScheme}`).toEqual([]);
      }
    }
    expect(session.problems).toEqual([]);
  });
}

/** Runs in the page: what sticks out of it, and what is wrong with its controls and headings. */
function inspect() {
  /** What a finger misses: less than 40 px; links in a sentence are as high as it. */
  const tooSmall = () =>
    [...document.querySelectorAll<HTMLElement>("button, a, input, select, textarea")]
      .filter(
        (each) => each.closest(".visually-hidden, .skip, p") === null && !each.matches(".visually-hidden"),
      )
      .filter((each) => {
        const { width, height } = each.getBoundingClientRect();
        return width > 0 && (width < 40 || height < 40);
      })
      .map((each) => `${each.tagName} ${each.getAttribute("aria-label") ?? each.textContent?.slice(0, 30)}`);
  return {
    overflow: document.documentElement.scrollWidth - innerWidth,
    /** Headings that leave a level out. */
    skipped: [...document.querySelectorAll("h1, h2, h3")]
      .map((each) => Number(each.tagName[1]))
      .filter((depth, i, all) => i > 0 && depth > all[i - 1]! + 1 && !all.includes(depth - 1)),
    /** Identifiers that two elements have. */
    twice: [...document.querySelectorAll("[id]")]
      .map(({ id }) => id)
      .filter((id, i, all) => all.indexOf(id) !== i),
    moving: document.getAnimations().filter(({ playState }) => playState === "running").length,
    small: innerWidth > 520 ? [] : tooSmall(),
    nameless: [...document.querySelectorAll("button, a, input, select, textarea, canvas[tabindex]")].filter(
      (each) =>
        (each.textContent ?? "").trim() === "" &&
        each.getAttribute("aria-label") === null &&
        document.querySelector(`label[for="${each.id}"]`) === null,
    ).length,
    headings: document.querySelectorAll("h1").length,
    cutOff: [...document.querySelectorAll("main h1:not(.visually-hidden)")]
      .filter((each) => each.scrollWidth > each.clientWidth)
      .map((each) => each.textContent),
  };
}

/** Controls for which the browser's own tree, the one that screen readers get, has no name. */
async function nameless(tree: CDPSession): Promise<string[]> {
  const { nodes } = await tree.send("Accessibility.getFullAXTree");
  const roles = new Set([
    "button",
    "link",
    "slider",
    "textbox",
    "combobox",
    "image",
    "img",
    "navigation",
    "Canvas",
  ]);
  expect(nodes.filter(({ role }) => role?.value === "button").length).toBeGreaterThan(0);
  return nodes
    .filter(({ ignored, role }) => !ignored && roles.has(role?.value))
    .filter(({ name }) => String(name?.value ?? "").trim() === "")
    .map(({ role, nodeId }) => `${role?.value} ${nodeId}`);
}

/** Runs in the page: notes what live regions come to say from now on. */
function watchLiveRegions(): void {
  const heard: string[] = [];
  (globalThis as unknown as { heard: string[] }).heard = heard;
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const element = target instanceof Element ? target : target.parentElement;
      const region = element?.closest("[role=status], [role=alert], [aria-live=polite], output");
      if (region !== null && region !== undefined) heard.push(region.textContent ?? "");
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}

async function readLiveRegions(): Promise<string[]> {
  await new Promise((told) => setTimeout(told, 0));
  return (globalThis as unknown as { heard: string[] }).heard;
}

/** Runs in the page: texts whose contrast with the colour behind them is below 4.5 (3 for large ones), WCAG 2.1. */
function lowContrast(): string[] {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true })!;
  const known = new Map<string, readonly [number, number, number, number]>();
  const rgba = (colour: string) => {
    const before = known.get(colour);
    if (before !== undefined) return before;
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    const found = [r!, g!, b!, a! / 255] as const;
    known.set(colour, found);
    return found;
  };
  const luminance = (colour: readonly number[]) => {
    const [r, g, b] = colour.map((value) => {
      const share = value / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  const grounds = new Map<HTMLElement, readonly number[]>();
  /** What is behind an element's text: half transparent grounds over the first opaque one. */
  const ground = (element: HTMLElement | null): readonly number[] => {
    if (element === null) return [255, 255, 255];
    let known = grounds.get(element);
    if (known === undefined) {
      const own = rgba(getComputedStyle(element).backgroundColor);
      const below = own[3] === 1 ? own : ground(element.parentElement);
      known = own[3] === 0 ? below : below.slice(0, 3).map((value, i) => value + (own[i]! - value) * own[3]);
      grounds.set(element, known);
    }
    return known;
  };
  const found: string[] = [];
  for (const element of document.querySelectorAll<HTMLElement>("body *")) {
    const own = [...element.childNodes].some(
      (node) => node.nodeType === 3 && node.textContent!.trim() !== "",
    );
    if (!own || element.closest(".scope, .visually-hidden, option, noscript, script, :disabled") !== null)
      continue;
    const style = getComputedStyle(element);
    if (element.getClientRects().length === 0 || style.visibility === "hidden") continue;
    const behind = ground(element);
    const [a, b] = [luminance(rgba(style.color)), luminance(behind)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const isLarge = Number.parseFloat(style.fontSize) >= 24;
    if (ratio < (isLarge ? 3 : 4.5))
      found.push(`${element.textContent!.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return found;
}
