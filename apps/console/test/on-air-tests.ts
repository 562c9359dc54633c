import { expect, test } from "vitest";
import { type ConsoleSession, patienceMs } from "./console-session.ts";

/** Listening, and what is changed while it plays. */
export function listeningTests(session: ConsoleSession): void {
  test("plays the received sound", async () => {
    const page = await session.open("on-air");
    await page.getByRole("button", { name: "Listen" }).click();
    await page.getByRole("button", { name: "Stop" }).waitFor();
    await page.getByText("1 listening").waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("0 listening").waitFor();
  });

  test("goes on listening by itself after the sound broke off", async () => {
    let asked = 0;
    const page = await session.open("on-air");
    const sound = /\/audio\?/;
    await page.route(sound, (route) =>
      ++asked === 1 ? route.fulfill({ status: 200, body: "" }) : route.continue(),
    );
    await page.getByRole("button", { name: "Listen" }).click();
    await page.getByText("1 listening").waitFor();
    expect(asked).toBe(2);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("0 listening").waitFor();
    await page.unroute(sound);
  });

  test("changes the reception from the keyboard", async () => {
    const page = await session.open("on-air");
    const telephone = page.getByRole("button", { name: "Telephone" });
    await telephone.focus();
    await page.keyboard.press("Enter");
    await page.locator('button[aria-pressed="true"]', { hasText: "Telephone" }).waitFor();
    const { streams } = (await (await fetch(`${session.url}v1/streams`)).json()) as {
      streams: { reception: { highHz: number } }[];
    };
    expect(streams[0]?.reception.highHz).toBe(3400);
    await page.getByLabel("Noise").focus();
    await page.keyboard.press("ArrowRight");
    await page.getByText("−43 dB", { exact: true }).waitFor();
  });

  test("sets the station's bit rate while it plays", async () => {
    const page = await session.open("on-air");
    await page.getByRole("button", { name: "64 kbit/s" }).click();
    await page.locator('button[aria-pressed="true"]', { hasText: "64" }).waitFor();
    const { streams } = (await (await fetch(`${session.url}v1/streams`)).json()) as {
      streams: { encoder: { bitrateBps: number } }[];
    };
    expect(streams[0]?.encoder.bitrateBps).toBe(64_000);
  });

  test("the browser's own player plays the live stream", async () => {
    const page = await session.open("system");
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
}

/** What the receiver makes of it: needs some seconds of sound. */
export function recognitionTests(session: ConsoleSession): void {
  test("shows what is on air, recognises it, and draws the sound with its peaks", async () => {
    const page = await session.open("on-air");
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
}
