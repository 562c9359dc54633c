import { encodeWav } from "@longwave/media";
import { expect } from "vitest";
import type { ConsoleSession } from "./console-session.ts";

/** Works through every card of the Lab with a sound of its own, then closes the page. */
export async function workInLab(session: ConsoleSession): Promise<void> {
  const page = await session.newPage("lab");
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
  await page.getByText("music (CELT) 100 %").waitFor();
  await page.getByRole("button", { name: "Play", exact: true }).click();
  await page.getByRole("button", { name: "A: original" }).click();
  await page.locator('button[aria-pressed="true"]', { hasText: "A: original" }).waitFor();
  await page.getByRole("button", { name: "12 kbit/s" }).click();
  await page.getByRole("button", { name: "0 % lost", exact: true }).click();
  const marks = page.locator("section[aria-label=Watermark]");
  await marks.getByLabel(/^Says/).fill("beef");
  await marks.getByText(/8 hexadecimal digits: 0 to 9/).waitFor();
  await marks.getByLabel(/^Says/).fill("0000beef");
  await marks.getByText(/8 hexadecimal digits: 0 to 9/).waitFor({ state: "detached" });
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
  await session.close(page);
}
