import { expect, test } from "vitest";
import { type ConsoleSession, patienceMs } from "./console-session.ts";

/** Links that are cut, and their plots. */
export function linksTests(session: ConsoleSession): void {
  test("cuts a link and restores it, and the sound goes on", async () => {
    const page = await session.open("links");
    const lte = page.locator("section[aria-label=LTE]");
    const bond = async () =>
      (await (await fetch(`${session.url}v1/streams/studio-1/links`)).json()) as {
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

  test("says on air that nothing arrives while every link is cut", async () => {
    const set = async (cut: boolean) => {
      for (const id of ["dsl", "lte"]) {
        const body = JSON.stringify({ cut });
        const headers = { "content-type": "application/json" };
        await fetch(`${session.url}v1/links/${id}`, { method: "PUT", headers, body });
      }
    };
    await set(true);
    const page = await session.open("on-air");
    const heard = page.locator("section[aria-label=Heard]");
    await heard.locator(".badge.bad", { hasText: "nothing arrives" }).waitFor();
    await heard.getByText(/^No link carries anything/).waitFor();
    await set(false);
    await heard.locator(".badge.bad").waitFor({ state: "detached" });
  });

  test("has full plots of the links as soon as their screen is opened", async () => {
    const page = await session.open("links");
    const line = page.locator("section[aria-label=DSL] polyline").first();
    await line.waitFor({ state: "attached" });
    const fresh = await session.newPage("links");
    const points = (await fresh.locator("section[aria-label=DSL] polyline").first().getAttribute("points"))!;
    expect(points.split(" ").length).toBeGreaterThan(5);
    await fresh.locator('section[aria-label=DSL] li[aria-current="step"]').waitFor();
    await fresh.close();
  });
}
