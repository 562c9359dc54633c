import { render } from "preact";
import { App } from "./app.tsx";
import { startHealth } from "./live/health-feed.ts";
import { startLive } from "./live/live.ts";
import { soundOutput } from "./live/sound-output.ts";

render(<App />, document.getElementById("console")!);
startLive();
startHealth();
// The first click that wants sound must not wait for the output to be made.
if ("requestIdleCallback" in globalThis) requestIdleCallback(() => soundOutput(), { timeout: 500 });
