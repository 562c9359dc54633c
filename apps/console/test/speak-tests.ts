import { expect, test } from "vitest";
import type { ConsoleSession } from "./console-session.ts";

/** A typed text goes on air. */
export function speakTests(session: ConsoleSession): void {
  test("speaks what was typed, and says with which engine", async () => {
    const page = await session.open("speak");
    await page.getByLabel(/^Words/).fill("Hello from the test.");
    await page.getByRole("button", { name: "Put on air" }).click();
    const said = page.locator("section[aria-label=Spoken]");
    await said.getByText("Hello from the test.").waitFor();
    await said.getByText(/formant, voice formant\. First sound after \d+ ms/).waitFor();
    await said.getByText("done", { exact: true }).waitFor();
    await page.getByLabel(/^Words/).fill(" ");
    expect(await page.getByRole("button", { name: "Put on air" }).isDisabled()).toBe(true);
  });
}
