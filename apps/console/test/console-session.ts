import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { repositoryPath } from "@longwave/testkit";
import { type Browser, chromium, type Page } from "playwright-core";
import { type ScreenName, screenNames } from "../src/screen-names.ts";
import { watchFocus } from "./focus-watch.ts";
import { type LayoutShift, readShifts, watchShifts } from "./layout-shift.ts";

const program = repositoryPath("apps/cli/dist/main.js");
const executablePath = "/usr/bin/chromium";
const browserFlags =
  "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync --autoplay-policy=no-user-gesture-required --use-fake-ui-for-media-stream --use-fake-device-for-media-stream";

export const canRun: boolean =
  existsSync(program) &&
  existsSync(repositoryPath("apps/console/dist/index.html")) &&
  existsSync(executablePath);
export const screens = screenNames;
export type Screen = ScreenName;

/** Longest wait for something to appear: on a busy machine everything takes long, and nothing may fail for that. */
export const patienceMs = 120_000;

/** A station, a browser, and a page that all tests share: loading it anew each time would be most of the work. */
export class ConsoleSession {
  /** Of the console, with a slash at its end. */
  url = "";
  /** Errors on the console of the browser. */
  readonly problems: string[] = [];
  /** What moved by itself on pages that are closed. */
  readonly #shifts: LayoutShift[] = [];
  #station: ChildProcess | undefined;
  #browser: Browser | undefined;
  #page: Page | undefined;

  get page(): Page {
    return this.#page!;
  }

  async start(): Promise<void> {
    [this.url, this.#browser] = await Promise.all([
      this.#startStation(),
      chromium.launch({ executablePath, args: browserFlags.split(" ") }),
    ]);
    this.#page = await this.newPage("on-air");
  }

  async end(): Promise<void> {
    await this.#browser?.close();
    this.stopStation();
  }

  stopStation(): void {
    this.#station?.removeAllListeners("exit");
    this.#station?.kill("SIGINT");
  }

  #startStation(): Promise<string> {
    // Colours would put escape codes behind the address; continuous integration turns them on.
    const env = { ...process.env, NO_COLOR: "1" };
    const station = spawn(process.execPath, [program, "station", "--port", "0", "--songs", "2"], { env });
    this.#station = station;
    return new Promise<string>((resolve, reject) => {
      let text = "";
      station.stdout?.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
        const found = /(http:\/\/\S+)\s/.exec(text)?.[1];
        if (found !== undefined) resolve(found);
      });
      station.on("exit", (status) => reject(new Error(`The station ended with ${status}.`)));
    });
  }

  /** A fresh page; `prepare` runs before anything is loaded. Its errors count, unless it is made to see some. */
  async newPage(
    screen: Screen,
    prepare?: (page: Page) => Promise<unknown>,
    url: string = this.url,
  ): Promise<Page> {
    // Reduced motion draws the picture four times a second: without a graphics card each drawing costs the station's time.
    const page = await this.#browser!.newPage({
      viewport: { width: 1280, height: 800 },
      colorScheme: "dark",
      reducedMotion: "reduce",
    });
    page.setDefaultTimeout(patienceMs);
    if (prepare === undefined)
      page.on("console", (message) => message.type() === "error" && this.problems.push(message.text()));
    page.on("pageerror", (error) => this.problems.push(String(error)));
    await page.addInitScript(watchFocus);
    await page.addInitScript(watchShifts);
    await prepare?.(page);
    await page.goto(`${url}#/${screen}`);
    return page;
  }

  /** The shared page, on a screen. */
  async open(screen: Screen): Promise<Page> {
    await show(this.page, screen);
    return this.page;
  }

  /** Closes a page, and keeps what moved on it. */
  async close(page: Page): Promise<void> {
    this.#shifts.push(...(await readShifts(page)));
    await page.close();
  }

  /** What moved by itself since the start, on the shared page and on those that were closed. */
  async shifts(): Promise<readonly LayoutShift[]> {
    return [...this.#shifts, ...(await readShifts(this.page))];
  }
}

/** Brings a screen on a page. */
export async function show(page: Page, screen: Screen): Promise<void> {
  await page.evaluate((name) => {
    location.hash = `#/${name}`;
  }, screen);
  await page.locator(`nav a[aria-current="page"][href="#/${screen}"]`).first().waitFor({ state: "attached" });
}
