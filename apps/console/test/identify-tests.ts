import { expect, test } from "vitest";
import type { ConsoleSession } from "./console-session.ts";

/** Clips from the disk. */
export function clipTests(session: ConsoleSession): void {
  test("names what the archive gave back, and draws why", async () => {
    const page = await session.open("identify");
    const { recordings } = (await (await fetch(`${session.url}v1/archive`)).json()) as {
      recordings: { id: string; frames: number }[];
    };
    const { id, frames } = recordings.at(-1)!;
    const from = Math.max(0, frames - 8 * 48_000);
    const clip = await fetch(`${session.url}v1/archive/${id}?from=${from}&to=${frames}`);
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
}

/** The microphone begins to listen; it takes eight seconds. */
export function microphoneStartTests(session: ConsoleSession): void {
  test("listens to the microphone when asked to", async () => {
    const page = await session.open("identify");
    await page.getByRole("button", { name: "Use the microphone" }).click();
    await page.getByText("Listening to the microphone").waitFor();
    expect(await page.getByRole("button", { name: /^Listening for/ }).isDisabled()).toBe(true);
  });
}

/** What comes of it. */
export function microphoneEndTests(session: ConsoleSession): void {
  test("stops to listen by itself, and says that the microphone's beeps are no recording of the catalog", async () => {
    const page = await session.open("identify");
    await page.getByRole("heading", { name: "Not in the catalog" }).waitFor();
    expect(await page.getByRole("button", { name: "Use the microphone" }).isEnabled()).toBe(true);
  });
}
