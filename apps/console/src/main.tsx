import { render } from "preact";
import { App } from "./app.tsx";
import { startLive } from "./live/live.ts";

render(<App />, document.getElementById("console")!);
startLive();
