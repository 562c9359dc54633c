import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { encodeWav } from "@longwave/media";
import { repositoryPath } from "@longwave/testkit";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const program = repositoryPath("apps/cli/dist/main.js");
const built = repositoryPath("apps/console/dist");
const executablePath = "/usr/bin/chromium";
const canRun = existsSync(program) && existsSync(`${built}/index.html`) && existsSync(executablePath);
const screens = ["on-air", "links", "archive", "identify", "speak", "lab", "catalog", "system"];
const browserFlags =
  "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync --autoplay-policy=no-user-gesture-required --use-fake-ui-for-media-stream --use-fake-device-for-media-stream";

/** Longest wait for something to appear: on a busy machine everything takes long, and nothing may fail for that. */
const patienceMs = 120_000;

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

// A test may wait several times, so it has more time than one wait: a wait that fails says for what.
const limits = { timeout: 5 * patienceMs };

describe.skipIf(!canRun)(
  "the console in Chromium (needs npm run build and /usr/bin/chromium)",
  limits,
  () => {
    let station: ChildProcess;
    let browser: Browser;
    let page: Page;
    let labRun: Promise<void>;
    let url = "";
    const problems: string[] = [];

    beforeAll(async () => {
      [url, browser] = await Promise.all([
        startStation(),
        chromium.launch({ executablePath, args: browserFlags.split(" ") }),
      ]);
      page = await newPage("on-air");
      await page
        .getByText(/On air \d/i)
        .first()
        .waitFor();
      // The Lab computes for seconds and needs no station: it does so in a page of its own, while the others wait for sound.
      labRun = workInLab(await newPage("lab"));
      labRun.catch(() => {});
    }, limits.timeout);

    async function startStation(): Promise<string> {
      // Colours would put escape codes behind the address; continuous integration turns them on.
      const env = { ...process.env, NO_COLOR: "1" };
      station = spawn(process.execPath, [program, "station", "--port", "0", "--songs", "2"], { env });
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

    async function newPage(screen: string): Promise<Page> {
      // Reduced motion draws the picture four times a second: without a graphics card each drawing costs the station's time.
      const page = await browser.newPage({
        viewport: { width: 1280, height: 800 },
        colorScheme: "dark",
        reducedMotion: "reduce",
      });
      page.setDefaultTimeout(patienceMs);
      page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
      page.on("pageerror", (error) => problems.push(String(error)));
      await page.addInitScript(watchJumps);
      await page.goto(`${url}#/${screen}`);
      return page;
    }

    afterAll(async () => {
      await browser?.close();
      station.removeAllListeners("exit");
      station.kill("SIGINT");
    });

    /** The page, which all tests share, on a screen: loading it anew each time would be most of the work. */
    async function open(screen: string): Promise<Page> {
      await page.evaluate((name) => {
        location.hash = `#/${name}`;
      }, screen);
      await page
        .locator(`nav a[aria-current="page"][href="#/${screen}"]`)
        .first()
        .waitFor({ state: "attached" });
      return page;
    }

    test("plays the received sound", async () => {
      const page = await open("on-air");
      await page.getByRole("button", { name: "Listen" }).click();
      await page.getByRole("button", { name: "Stop" }).waitFor();
      await page.getByText("1 listening").waitFor();
      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByText("0 listening").waitFor();
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
      await page.getByText("−43 dB", { exact: true }).waitFor();
    });

    test("cuts a link and restores it, and the sound goes on", async () => {
      const page = await open("links");
      const lte = page.locator("section[aria-label=LTE]");
      const bond = async () =>
        (await (await fetch(`${url}v1/streams/studio-1/links`)).json()) as {
          delivered: number;
          links: { id: string; cut: boolean; alive: boolean }[];
        };
      // Both links have to be known before one can stand in for the other.
      await expect
        .poll(async () => (await bond()).links.filter(({ alive }) => alive).length, { timeout: patienceMs })
        .toBe(2);
      await lte.getByRole("button", { name: "Cut" }).click();
      await lte.locator(".badge", { hasText: "cut" }).waitFor();
      await page.getByText(/^LTE is cut: |^No link carries anything/).waitFor();
      const { delivered, links } = await bond();
      expect(links.find(({ id }) => id === "lte")?.cut).toBe(true);
      // Longer than the receiver's buffer: these packets came over the link that is left.
      await expect
        .poll(async () => (await bond()).delivered, { timeout: patienceMs })
        .toBeGreaterThan(delivered + 75);
      await lte.getByRole("button", { name: "Restore" }).click();
      // A link that was away proves itself first.
      await lte.locator(".badge", { hasText: /carrying|waiting/ }).waitFor();
      expect((await bond()).links.find(({ id }) => id === "lte")?.cut).toBe(false);
    });

    test("plays what was half a minute ago, or a moment ago, at a click and from the keyboard", async () => {
      const page = await open("archive");
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
      const page = await open("archive");
      const timeline = page.getByRole("slider", { name: "Archive timeline" });
      await timeline.waitFor();
      // A machine that is busy makes the station give time up, which leaves gaps: the piece lies inside the longest stretch.
      const stretch = async () => {
        const { recordings } = (await (await fetch(`${url}v1/archive`)).json()) as {
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

    test("speaks what was typed, and says with which engine", async () => {
      const page = await open("speak");
      await page.getByLabel(/^Words/).fill("Hello from the test.");
      await page.getByRole("button", { name: "Put on air" }).click();
      const said = page.locator("section[aria-label=Spoken]");
      await said.getByText("Hello from the test.").waitFor();
      await said.getByText(/formant, voice formant\. First sound after \d+ ms/).waitFor();
      await said.getByText("done", { exact: true }).waitFor();
      await page.getByLabel(/^Words/).fill(" ");
      expect(await page.getByRole("button", { name: "Put on air" }).isDisabled()).toBe(true);
    });

    test("codes a dropped sound in the page, plays both sides and traces the packets", async () => {
      await labRun;
    });

    async function workInLab(page: Page): Promise<void> {
      const sound = new Float32Array(2 * 48_000 * 6);
      for (let i = 0; i < sound.length; i++)
        sound[i] = 0.4 * Math.sin((i >> 1) * (0.02 + ((i >> 14) % 7) * 0.01));
      const wav = Buffer.from(encodeWav(sound, { sampleRate: 48_000, channels: 2, encoding: "s16" }));
      await page
        .getByLabel("Sound for the Lab")
        .setInputFiles({ name: "tone.wav", mimeType: "audio/wav", buffer: wav });
      await page.getByText(/% of .+ hashes survive/).waitFor();
      await page.getByText(/32 kbit\/s in fact|3\d kbit\/s in fact/).waitFor();
      await page.getByRole("button", { name: "12 kbit/s" }).click();
      await page.getByText(/1\d kbit\/s in fact/).waitFor();
      await page.getByRole("button", { name: "Speech" }).click();
      await page.getByRole("button", { name: "20 % lost" }).click();
      await page.locator('button[aria-pressed="true"]', { hasText: "20 %" }).waitFor();
      await page.getByRole("button", { name: "Low delay" }).click();
      await page.getByText("CELT 100 %").waitFor();
      await page.getByRole("button", { name: "Play", exact: true }).click();
      await page.getByRole("button", { name: "A: original" }).click();
      await page.locator('button[aria-pressed="true"]', { hasText: "A: original" }).waitFor();
      await page.getByRole("button", { name: "12 kbit/s" }).click();
      await page.getByRole("button", { name: "0 % lost", exact: true }).click();
      const marks = page.locator("section[aria-label=Watermark]");
      await marks.getByLabel(/^Says/).fill("0000beef");
      await marks.getByRole("button", { name: "Mark and look for it" }).click();
      await marks.getByText(/dB below the sound/).waitFor();
      expect(await marks.locator("dd").allInnerTexts()).toEqual([
        "no mark",
        expect.stringContaining("0000beef"),
        expect.any(String),
      ]);
      await page
        .getByLabel("Sound for the Lab")
        .setInputFiles({ name: "diary.txt", mimeType: "text/plain", buffer: Buffer.from("Dear diary") });
      await page.getByText("diary.txt is no sound that this browser knows.").waitFor();
      await page.close();
    }

    test("sets the station's bit rate while it plays", async () => {
      const page = await open("on-air");
      await page.getByRole("button", { name: "64 kbit/s" }).click();
      await page.locator('button[aria-pressed="true"]', { hasText: "64" }).waitFor();
      const { streams } = (await (await fetch(`${url}v1/streams`)).json()) as {
        streams: { encoder: { bitrateBps: number } }[];
      };
      expect(streams[0]?.encoder.bitrateBps).toBe(64_000);
    });

    test("the browser's own player plays the live stream", async () => {
      const page = await open("system");
      const seconds = await page.evaluate(async () => {
        const audio = new Audio("/v1/streams/studio-1/audio");
        audio.muted = true;
        await audio.play();
        await new Promise((resolve) => {
          audio.ontimeupdate = () => audio.currentTime > 0.2 && resolve(undefined);
        });
        const at = audio.currentTime;
        audio.src = "";
        return at;
      });
      expect(seconds).toBeGreaterThan(0.2);
    });

    test("shows what is on air, recognises it, and draws the sound with its peaks", async () => {
      const page = await open("on-air");
      await page.getByText("recognised", { exact: true }).waitFor();
      const heard = await page.locator("section[aria-label=Heard] h2").innerText();
      const studio = await page.locator("section[aria-label=Studio] h2").innerText();
      expect(heard).toBe(studio);
      const bright = () =>
        page.evaluate(() => {
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
      await expect.poll(async () => (await bright()).colours, { timeout: patienceMs }).toBeGreaterThan(2000);
      await expect.poll(async () => (await bright()).rings, { timeout: patienceMs }).toBeGreaterThan(50);
    });

    test("names what the archive gave back, and draws why", async () => {
      const page = await open("identify");
      const { recordings } = (await (await fetch(`${url}v1/archive`)).json()) as {
        recordings: { id: string; frames: number }[];
      };
      const { id, frames } = recordings.at(-1)!;
      const from = Math.max(0, frames - 8 * 48_000);
      const clip = await fetch(`${url}v1/archive/${id}?from=${from}&to=${frames}`);
      const buffer = Buffer.from(await clip.arrayBuffer());
      await page
        .getByLabel("Clip to identify")
        .setInputFiles({ name: "clip.wav", mimeType: "audio/wav", buffer });
      const answer = page.locator("section[aria-label=Answer]");
      await answer.getByText(/^clip\.wav begins \d+:\d\d into it$/).waitFor();
      const label = (await answer.locator("canvas").first().getAttribute("aria-label"))!;
      const [, near, all] = /^(\d+) of (\d+) shared hashes lie on one line/.exec(label)!;
      expect(Number(near)).toBeGreaterThan(10);
      expect(Number(all)).toBeGreaterThanOrEqual(Number(near));
    });

    test("listens to the microphone when asked to", async () => {
      const page = await open("identify");
      await page.getByRole("button", { name: "Use the microphone" }).click();
      await page.getByText("Listening to the microphone").waitFor();
      expect(await page.getByRole("button", { name: /^Listening for/ }).isDisabled()).toBe(true);
    });

    test("has full plots of the links as soon as their screen is opened", async () => {
      const page = await open("links");
      const line = page.locator("section[aria-label=DSL] polyline").first();
      await line.waitFor({ state: "attached" });
      const fresh = await newPage("links");
      const points = (await fresh
        .locator("section[aria-label=DSL] polyline")
        .first()
        .getAttribute("points"))!;
      expect(points.split(" ").length).toBeGreaterThan(5);
      await fresh.locator('section[aria-label=DSL] li[aria-current="step"]').waitFor();
      await fresh.close();
    });

    test("stops to listen by itself, and says that the microphone's beeps are no recording of the catalog", async () => {
      const page = await open("identify");
      await page.getByRole("heading", { name: "Not in the catalog" }).waitFor();
      expect(await page.getByRole("button", { name: "Use the microphone" }).isEnabled()).toBe(true);
    });

    test("the Tab key reaches every control of every screen, and one sees where it is", async () => {
      for (const screen of screens) {
        const page = await open(screen);
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

    test("nothing that is there moves while the screens fill themselves with what the station has", async () => {
      await page.evaluate(() => (globalThis as unknown as { jumps: string[] }).jumps.splice(0));
      for (const screen of screens) {
        const page = await open(screen);
        await page.locator("main h1").waitFor();
        if (screen === "archive") await page.getByRole("slider", { name: "Archive timeline" }).waitFor();
        if (screen === "links")
          await page.locator("section[aria-label=DSL] polyline").first().waitFor({ state: "attached" });
        // Shifts are told after the frame in which they happened.
        const jumps = await page.evaluate(async () => {
          for (let i = 0; i < 3; i++) await new Promise((drawn) => requestAnimationFrame(drawn));
          return (globalThis as unknown as { jumps: string[] }).jumps.splice(0);
        });
        expect(jumps, screen).toEqual([]);
      }
    });

    test("every screen, narrow and wide, dark and light: no sideways scrolling, nameless control, faint text or error", async () => {
      for (const [width, colorScheme] of [
        [360, "light"],
        [360, "dark"],
        [820, "light"],
        [2560, "dark"],
      ] as const) {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        for (const screen of screens) {
          await open(screen);
          await page.locator("main h1").waitFor();
          const found = await page.evaluate(inspect);
          expect(found, `${screen} at ${width}`).toEqual({
            overflow: 0,
            nameless: 0,
            headings: 1,
            cutOff: [],
          });
          expect(await page.evaluate(lowContrast), `${screen}, ${colorScheme}`).toEqual([]);
        }
      }
      expect(problems).toEqual([]);
    });

    test("says so when the server goes away", async () => {
      const page = await open("system");
      station.removeAllListeners("exit");
      station.kill("SIGINT");
      await page.getByRole("alert").waitFor();
      await page.getByText("Off air").waitFor();
    });
  },
);

const focusable =
  'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), [tabindex="0"]';

/** Runs in the page from its start: notes what was focused, and whether one saw it; and what moved inside the screens. */
function watchJumps(): void {
  const page = globalThis as unknown as { jumps: string[]; focused: Set<Element>; unseen: Set<Element> };
  page.jumps = [];
  page.focused = new Set();
  page.unseen = new Set();
  addEventListener("focusin", ({ target }) => {
    if (!(target instanceof HTMLElement) || target.tabIndex < 0 || !target.matches(":focus-visible")) return;
    page.focused.add(target);
    const shown = target.closest(".drop") ?? target;
    if (getComputedStyle(shown).outlineStyle === "none") page.unseen.add(target);
  });
  type Shift = PerformanceEntry & {
    hadRecentInput: boolean;
    sources: { node: Node | null; previousRect: DOMRectReadOnly; currentRect: DOMRectReadOnly }[];
  };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as Shift[]) {
      for (const { node, previousRect, currentRect } of entry.sources) {
        const element = node instanceof Element ? node : node?.parentElement;
        const main = document.querySelector("main");
        // What a press moved is no surprise; footer and frame follow the length of the screen.
        if (entry.hadRecentInput || !element || !main?.contains(element) || element === main) continue;
        // Numbers that are set to the right and words in the middle of a line move as they grow; nothing else may.
        const mayShift = element.closest("button, a, input, li, section") !== element;
        const across = mayShift ? 0 : Math.abs(previousRect.x - currentRect.x);
        if (Math.abs(previousRect.y - currentRect.y) + across < 3) continue;
        // A list that grows at its top moves what is below, inside its own frame.
        if (element.closest(".log, .said, .table-wrap")) continue;
        page.jumps.push(
          `${location.hash} ${element.tagName} ${element.className} "${element.textContent?.slice(0, 30)}": from ${previousRect.x}, ${previousRect.y} to ${currentRect.x}, ${currentRect.y}`,
        );
      }
    }
  }).observe({ type: "layout-shift", buffered: true });
}

/** Runs in the page: controls that were not reached, and those of which one did not see that they were; then forgets. */
function readFocus(selector: string): { missed: string[]; unseen: string[] } {
  const page = globalThis as unknown as { focused: Set<Element>; unseen: Set<Element> };
  const name = (each: Element) =>
    `${each.tagName} ${each.getAttribute("aria-label") ?? each.id} ${each.textContent?.slice(0, 30)}`;
  const missed = [...document.querySelectorAll(selector)]
    .filter((each) => each.getClientRects().length > 0 && !page.focused.has(each))
    .map(name);
  const unseen = [...page.unseen].map(name);
  page.focused.clear();
  page.unseen.clear();
  return { missed, unseen };
}

/** Runs in the page: what sticks out of it, and controls without a name. */
function inspect() {
  return {
    overflow: document.documentElement.scrollWidth - innerWidth,
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
