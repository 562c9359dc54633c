import { afterAll, beforeAll, describe, test } from "vitest";
import { accessTests } from "./access-tests.ts";
import { archiveTests } from "./archive-tests.ts";
import { ConsoleSession, canRun, patienceMs } from "./console-session.ts";
import { clipTests, microphoneEndTests, microphoneStartTests } from "./identify-tests.ts";
import { workInLab } from "./lab-work.ts";
import { layoutShiftTests } from "./layout-shift-tests.ts";
import { linksTests } from "./links-tests.ts";
import { listeningTests, recognitionTests } from "./on-air-tests.ts";
import { speakTests } from "./speak-tests.ts";
import { clipTroubleTests, stationTroubleTests } from "./state-tests.ts";
import { touchTests } from "./touch-tests.ts";
import { troubleTests } from "./trouble-tests.ts";

// A test may wait several times, so it has more time than one wait: a wait that fails says for what.
const limits = { timeout: 5 * patienceMs };

describe.skipIf(!canRun)(
  "the console in Chromium (needs npm run build and /usr/bin/chromium)",
  limits,
  () => {
    const session = new ConsoleSession();
    let labRun: Promise<void>;

    beforeAll(async () => {
      await session.start();
      await session.page.locator(".lamp.on").waitFor();
      // The Lab computes for seconds and needs no station: it does so in a page of its own, while the others wait for sound.
      labRun = workInLab(session);
      labRun.catch(() => {});
    }, limits.timeout);
    afterAll(() => session.end());

    listeningTests(session);
    linksTests(session);
    archiveTests(session);
    speakTests(session);
    test("codes a dropped sound in the page, plays both sides and traces the packets", () => labRun);
    microphoneStartTests(session);
    recognitionTests(session);
    microphoneEndTests(session);
    clipTroubleTests(session);
    clipTests(session);
    touchTests(session);
    stationTroubleTests(session);
    layoutShiftTests(session);
    // From here on the window changes its size, and in the end the server goes away.
    accessTests(session);
    troubleTests(session);
  },
);
