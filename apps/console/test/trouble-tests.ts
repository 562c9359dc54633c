import type { Page, Route } from "playwright-core";
import { expect, test } from "vitest";
import { type ConsoleSession, type Screen, show } from "./console-session.ts";

/** What a screen shows once its server answers. */
const recovered: readonly (readonly [Screen, string])[] = [
  ["links", "section[aria-label=DSL]"],
  ["archive", "canvas.timeline"],
  ["speak", "#voice option:nth-child(2)"],
  ["catalog", "tbody tr"],
  ["system", ".chain li:nth-child(3) .badge.good"],
];

/** Whether a request only follows the stream itself, which goes on. */
function isStream(url: string): boolean {
  return /\/v1\/(events|streams|streams\/[^/]+|streams\/[^/]+\/scope)$/.test(
    new URL(url).origin + new URL(url).pathname,
  );
}

function problem(route: Route, status: number, detail: string): Promise<void> {
  return route.fulfill({
    status,
    contentType: "application/problem+json",
    body: JSON.stringify({ status, detail, code: "server/test" }),
  });
}

/** A server that is busy, that is another one, that wants a token, that goes away. */
export function troubleTests(session: ConsoleSession): void {
  test("every screen says that its server is busy or no Longwave server, and goes on by itself when it answers", async () => {
    let trouble: "busy" | "other" | undefined;
    // On air knows the links already: a screen that asks for nothing comes first.
    const page = await session.newPage("identify", (fresh) =>
      fresh.route(/\/v1\//, (route) => {
        if (trouble === undefined || isStream(route.request().url())) return route.continue();
        if (trouble === "busy") return problem(route, 503, "Too much at once.");
        return route.fulfill({ status: 200, contentType: "text/html", body: "<h1>It works!</h1>" });
      }),
    );
    await page.locator(".lamp.on").waitFor();
    for (const [i, [screen, content]] of recovered.entries()) {
      trouble = i % 2 === 0 ? "busy" : "other";
      await show(page, screen);
      const words =
        trouble === "busy" ? "Too much at once. Trying again." : "What answered is not a Longwave server.";
      await page.locator("main").getByText(words).first().waitFor();
      expect(await page.locator(content).count(), screen).toBe(0);
      trouble = undefined;
      await page.locator(content).first().waitFor({ state: "attached" });
      await page.locator("main").getByText(words).first().waitFor({ state: "detached" });
    }
    await page.close();
  });

  test("asks for the token, says when it was another one's, and goes on with the right one", async () => {
    const page = await session.newPage("on-air", (fresh: Page) =>
      fresh.route(/\/v1\//, (route) =>
        route.request().headers()["authorization"] === "Bearer right"
          ? route.continue()
          : problem(route, 401, "Send the token."),
      ),
    );
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Token").fill("wrong");
    await dialog.getByRole("button", { name: "Continue" }).click();
    await dialog.getByText("That was not its token.").waitFor();
    expect(await page.getByText("Trying again.").count()).toBe(0);
    await page.keyboard.press("Escape");
    await dialog.getByLabel("Token").fill("right");
    await dialog.getByRole("button", { name: "Continue" }).click();
    await page.locator(".lamp.on").waitFor();
    expect(await dialog.isVisible()).toBe(false);
    // A link cannot carry the token: its answer opens all the same.
    await show(page, "system");
    const [answer] = await Promise.all([
      page.waitForEvent("popup"),
      page.getByRole("link", { name: "metrics" }).click(),
    ]);
    await answer.getByText(/longwave_http_requests_total/).waitFor();
    await answer.close();
    await page.close();
  });

  test("says so when the server goes away", async () => {
    const page = await session.open("on-air");
    await page.getByRole("button", { name: "Listen" }).click();
    await page.getByText("1 listening").waitFor();
    session.stopStation();
    await page.getByRole("alert").waitFor();
    await page.getByText("Off air").waitFor();
    // Nothing is claimed of now, and whoever listens is told that the sound comes back by itself.
    await page.getByText("not connected").waitFor();
    await page.getByText(/The sound goes on by itself/).waitFor();
    expect(await page.locator(".aside", { hasText: /recognised|listening/ }).count()).toBe(0);
  });
}
