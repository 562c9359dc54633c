import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { repositoryPath } from "@longwave/testkit";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const program = repositoryPath("apps/cli/dist/main.js");
const built = repositoryPath("apps/console/dist");
const executablePath = "/usr/bin/chromium";
const canRun = existsSync(program) && existsSync(`${built}/index.html`) && existsSync(executablePath);
const browserFlags =
  "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync --autoplay-policy=no-user-gesture-required --use-fake-ui-for-media-stream --use-fake-device-for-media-stream";

test.skipIf(!existsSync(`${built}/index.html`))(
  "the first load stays under 250 KB gzip (needs npm run build)",
  () => {
    let bytes = 0;
    for (const file of readdirSync(built, { recursive: true, withFileTypes: true })) {
      if (file.isFile() && !file.name.startsWith(".")) {
        bytes += gzipSync(readFileSync(`${file.parentPath ?? file.path}/${file.name}`)).length;
      }
    }
    expect(bytes).toBeGreaterThan(5_000);
    expect(bytes).toBeLessThan(250_000);
  },
);

describe.skipIf(!canRun)("the console in Chromium (needs npm run build and /usr/bin/chromium)", () => {
  let station: ChildProcess;
  let browser: Browser;
  let url = "";
  const problems: string[] = [];

  beforeAll(async () => {
    // Colours would put escape codes behind the address; continuous integration turns them on.
    const env = { ...process.env, NO_COLOR: "1" };
    station = spawn(process.execPath, [program, "station", "--port", "0", "--songs", "2"], { env });
    url = await new Promise<string>((resolve, reject) => {
      let text = "";
      station.stdout?.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
        const found = /(http:\/\/\S+)\s/.exec(text)?.[1];
        if (found !== undefined) resolve(found);
      });
      station.on("exit", (status) => reject(new Error(`The station ended with ${status}.`)));
    });
    browser = await chromium.launch({ executablePath, args: browserFlags.split(" ") });
  });
  afterAll(async () => {
    await browser?.close();
    station.removeAllListeners("exit");
    station.kill("SIGINT");
  });

  async function open(
    screen: string,
    width = 1280,
    height = 800,
    colorScheme: "dark" | "light" = "dark",
  ): Promise<Page> {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme });
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(String(error)));
    await page.goto(`${url}#/${screen}`);
    await page
      .getByText(/On air \d/i)
      .first()
      .waitFor();
    return page;
  }

  test("shows what is on air, recognises it, and draws the sound with its peaks", async () => {
    const page = await open("on-air");
    await page.getByText("recognised", { exact: true }).waitFor({ timeout: 45_000 });
    const heard = await page.locator("section[aria-label=Heard] h2").innerText();
    const studio = await page.locator("section[aria-label=Studio] h2").innerText();
    expect(heard).toBe(studio);
    await page.waitForTimeout(1000);
    const bright = await page.evaluate(() => {
      const canvas = document.querySelector("canvas")!;
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      let colours = 0;
      let rings = 0;
      for (let i = 0; i < data.length; i += 4) {
        if (data[i]! > 120) colours++;
        if (data[i]! < 160 && data[i + 1]! > 180 && data[i + 2]! > 170) rings++;
      }
      return { colours, rings };
    });
    expect(bright.colours).toBeGreaterThan(2000);
    expect(bright.rings).toBeGreaterThan(50);
    await page.close();
  });

  test("plays the received sound", async () => {
    const page = await open("on-air");
    await page.getByRole("button", { name: "Listen" }).click();
    await page.getByRole("button", { name: "Stop" }).waitFor();
    await page.getByText("1 listening").waitFor({ timeout: 10_000 });
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("0 listening").waitFor({ timeout: 10_000 });
    await page.close();
  });

  test("changes the reception from the keyboard", async () => {
    const page = await open("on-air");
    const telephone = page.getByRole("button", { name: "Telephone" });
    await telephone.focus();
    await page.keyboard.press("Enter");
    await page.locator('button[aria-pressed="true"]', { hasText: "Telephone" }).waitFor();
    const { streams } = (await (await fetch(`${url}v1/streams`)).json()) as {
      streams: { reception: { highHz: number } }[];
    };
    expect(streams[0]?.reception.highHz).toBe(3400);
    await page.getByLabel("Noise").focus();
    await page.keyboard.press("ArrowRight");
    await page.getByText("-43 dB", { exact: true }).waitFor();
    await page.close();
  });

  test("cuts a link and restores it, and the sound goes on", async () => {
    const page = await open("links");
    const lte = page.locator("section[aria-label=LTE]");
    await lte.getByRole("button", { name: "Cut" }).click();
    await lte.getByText("cut", { exact: true }).waitFor();
    const bond = async () =>
      (await (await fetch(`${url}v1/streams/studio-1/links`)).json()) as {
        delivered: number;
        links: { id: string; cut: boolean }[];
      };
    const { delivered, links } = await bond();
    expect(links.find(({ id }) => id === "lte")?.cut).toBe(true);
    // 3 s of packets over the link that is left.
    await expect
      .poll(async () => (await bond()).delivered, { timeout: 30_000 })
      .toBeGreaterThan(delivered + 450);
    await lte.getByRole("button", { name: "Restore" }).click();
    await lte.getByText("carrying", { exact: true }).waitFor({ timeout: 15_000 });
    await page.close();
  });

  test("has no sideways scrolling, no nameless control and no error, on every screen, wide and narrow", async () => {
    for (const [width, scheme] of [
      [360, "dark"],
      [820, "light"],
      [2560, "dark"],
    ] as const) {
      for (const screen of ["on-air", "links", "identify", "catalog", "system"]) {
        const page = await open(screen, width, 800, scheme);
        await page.waitForTimeout(300);
        const found = await page.evaluate(() => ({
          overflow: document.documentElement.scrollWidth - innerWidth,
          nameless: [...document.querySelectorAll("button, a, input")].filter(
            (each) =>
              (each.textContent ?? "").trim() === "" &&
              each.getAttribute("aria-label") === null &&
              document.querySelector(`label[for="${each.id}"]`) === null,
          ).length,
          headings: document.querySelectorAll("h1").length,
        }));
        expect(found, `${screen} at ${width}`).toEqual({ overflow: 0, nameless: 0, headings: 1 });
        await page.close();
      }
    }
    expect(problems).toEqual([]);
  });

  test("says so when the server goes away", async () => {
    const page = await open("system");
    station.removeAllListeners("exit");
    station.kill("SIGINT");
    await page.getByRole("alert").waitFor({ timeout: 20_000 });
    await page.getByText("Off air").waitFor();
    await page.close();
  });
});
