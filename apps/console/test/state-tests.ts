import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type ConsoleSession, show } from "./console-session.ts";
import { Gate } from "./gate.ts";

const health = /\/v1\/health$/;

/** An error that the browser notes of an answer which the test asked for: it is none of the page. */
async function takeProblem({ problems }: ConsoleSession, words: RegExp): Promise<void> {
  await expect.poll(() => problems.some((each) => words.test(each))).toBe(true);
  problems.splice(
    problems.findIndex((each) => words.test(each)),
    1,
  );
}

/** The station is in trouble, and says so. */
export function stationTroubleTests(session: ConsoleSession): void {
  test("says over every screen that the disk is full or the catalog away, why, and what to do, until it is over", async () => {
    const page = await session.open("archive");
    const parts = [
      {
        part: "archive",
        stream: "studio-1",
        says: "studio-1 is not recorded.",
        reason: "write rec/0: the disk is full; make room and try again",
      },
      { part: "catalog", stream: null, says: "The catalog is away: nothing is identified.", reason: null },
    ];
    await page.route(health, (route) =>
      route.fulfill({
        json: {
          status: "degraded",
          uptimeSeconds: 1,
          waitingFor: null,
          degraded: parts.map(({ says }) => says),
          parts,
        },
      }),
    );
    const disk = page.getByRole("alert").filter({ hasText: "studio-1 is not recorded." });
    await disk.getByText(/the disk is full; make room/).waitFor();
    await disk.getByText(/Free some of its disk, or start with --keep 7d/).waitFor();
    await page.getByRole("alert").filter({ hasText: "Songs are named again when it is back" }).waitFor();
    await disk.getByRole("button", { name: /^Put away/ }).click();
    await disk.waitFor({ state: "detached" });
    // What was put away is still told where one looks for it.
    await show(page, "system");
    await page.getByRole("heading", { name: "Not all of it works" }).waitFor();
    await page.locator(".trouble", { hasText: "studio-1 is not recorded." }).waitFor();
    await page.unroute(health);
    await page.getByRole("heading", { name: "Everything is ready" }).waitFor();
    await page.getByRole("alert").waitFor({ state: "detached" });
  });

  test("goes on by itself when the server was gone and is back, and so does the sound", async () => {
    const gate = await Gate.to(session.url);
    const page = await session.newPage("on-air", async () => {}, gate.url);
    const lamp = page.locator(".lamp.on");
    await lamp.waitFor();
    await page.getByRole("button", { name: "Listen" }).click();
    await page.getByText("1 listening").waitFor();
    gate.shut();
    await page.getByRole("alert").filter({ hasText: "Trying again." }).waitFor();
    await page.getByText(/The sound goes on by itself/).waitFor();
    await lamp.waitFor({ state: "detached" });
    gate.open();
    await lamp.waitFor();
    await page.getByRole("alert").waitFor({ state: "detached" });
    await page.getByText(/The sound goes on by itself/).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Stop" }).waitFor();
    await session.close(page);
    gate.close();
  });
}

/** What people give to Identify and the Lab that these cannot take. */
export function clipTroubleTests(session: ConsoleSession): void {
  test("refuses a file that is too large before it is sent, and says so when the server or a gateway refuses it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "longwave-console-"));
    const large = join(folder, "concert.wav");
    writeFileSync(large, "");
    truncateSync(large, 101e6);
    const page = await session.open("identify");
    let sent = 0;
    const identify = /\/v1\/identify$/;
    await page.route(identify, (route) => {
      sent++;
      return route.fulfill({ status: 413, contentType: "text/html", body: "<h1>413</h1>" });
    });
    const answer = page.locator("section[aria-label=Answer]");
    await page.getByLabel("Clip to identify").setInputFiles(large);
    await answer.getByText("concert.wav has 101.0 MB; the server takes 33.6 MB.").waitFor();
    expect(sent).toBe(0);
    const small = { name: "small.wav", mimeType: "audio/wav", buffer: Buffer.alloc(2000) };
    await page.getByLabel("Clip to identify").setInputFiles(small);
    await answer.getByText(/^small\.wav has 2 KB, which is more than this server takes/).waitFor();
    expect(sent).toBe(1);
    await takeProblem(session, /status of 413/);
    await page.unroute(identify);
    await show(page, "lab");
    await page.getByLabel("Sound for the Lab").setInputFiles(large);
    await page.getByText("concert.wav has 101.0 MB; the Lab takes 100.0 MB.").waitFor();
    rmSync(folder, { recursive: true });
  });

  test("says that a dropped file is no sound", async () => {
    const page = await session.open("identify");
    await page.locator(".drop").evaluate((target) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(["Dear diary"], "diary.txt"));
      target.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    });
    const answer = page.locator("section[aria-label=Answer]");
    await answer.getByText("That did not work").waitFor();
    await answer.getByText(/^diary\.txt is no sound that the server knows/).waitFor();
    await takeProblem(session, /status of 415/);
  });

  test("says what to do where the microphone is refused or there is none", async () => {
    const page = await session.open("identify");
    const answer = page.locator("section[aria-label=Answer]");
    for (const [name, words] of [
      ["NotAllowedError", "The microphone was not allowed. Allow it in the browser's address bar"],
      ["NotFoundError", "This machine has no microphone."],
    ] as const) {
      await page.evaluate((error) => {
        navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", error));
      }, name);
      await page.getByRole("button", { name: "Use the microphone" }).click();
      await answer.getByText(words).waitFor();
    }
    // The page's own one is behind it.
    await page.evaluate(() => Reflect.deleteProperty(navigator.mediaDevices, "getUserMedia"));
  });
}
