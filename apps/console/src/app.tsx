import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { isTokenRefused, needsToken, setToken } from "./api.ts";
import { clock } from "./format.ts";
import { chooseStream, connection, lastProblem, stream, streamIds, streamReadAt } from "./live/live.ts";
import {
  AirIcon,
  DiscIcon,
  EarIcon,
  GaugeIcon,
  LabIcon,
  LinkIcon,
  Logo,
  MoonIcon,
  ReelIcon,
  SpeakIcon,
  SunIcon,
} from "./parts/icons.tsx";
import { nowMs } from "./parts/now.ts";
import { screen } from "./router.ts";
import type { ScreenName } from "./screen-names.ts";
import { ArchiveScreen } from "./screens/archive.tsx";
import { CatalogScreen } from "./screens/catalog.tsx";
import { IdentifyScreen } from "./screens/identify.tsx";
import { LabScreen } from "./screens/lab.tsx";
import { LinksScreen } from "./screens/links.tsx";
import { OnAirScreen } from "./screens/on-air.tsx";
import { SpeakScreen } from "./screens/speak.tsx";
import { SystemScreen } from "./screens/system.tsx";
import { theme, toggleTheme } from "./theme.ts";

const screens: Readonly<
  Record<ScreenName, { title: string; icon: () => JSX.Element; body: () => JSX.Element }>
> = {
  "on-air": { title: "On air", icon: AirIcon, body: OnAirScreen },
  links: { title: "Links", icon: LinkIcon, body: LinksScreen },
  archive: { title: "Archive", icon: ReelIcon, body: ArchiveScreen },
  identify: { title: "Identify", icon: EarIcon, body: IdentifyScreen },
  speak: { title: "Speak", icon: SpeakIcon, body: SpeakScreen },
  lab: { title: "Lab", icon: LabIcon, body: LabScreen },
  catalog: { title: "Catalog", icon: DiscIcon, body: CatalogScreen },
  system: { title: "System", icon: GaugeIcon, body: SystemScreen },
};

/** The console's frame: top, tabs, the screen that the address names. */
export function App() {
  const Body = screens[screen.value].body;
  useEffect(() => {
    document.title = `${screens[screen.value].title} · Longwave`;
  }, [screen.value]);
  return (
    <div class="shell">
      <header class="top">
        <a class="brand" href="#/on-air" aria-label="Longwave, on air">
          <Logo />
          <span>Longwave</span>
        </a>
        <nav class="tabs" aria-label="Screens">
          <Tabs />
        </nav>
        <span class="spring" />
        <StreamChoice />
        <Lamp />
        <button
          type="button"
          class="button icon"
          onClick={toggleTheme}
          aria-label={theme.value === "dark" ? "Use the light theme" : "Use the dark theme"}
        >
          {theme.value === "dark" ? <SunIcon /> : <MoonIcon />}
        </button>
      </header>
      <main tabIndex={-1}>
        {connection.value === "lost" && !needsToken.value && (
          <div class="notice" role="alert">
            {lastProblem.value ?? "The connection was lost."} Trying again.
          </div>
        )}
        <Body />
      </main>
      <nav class="bottom-tabs" aria-label="Screens">
        <Tabs />
      </nav>
      <TokenDialog />
    </div>
  );
}

function Tabs() {
  return (
    <>
      {(Object.keys(screens) as ScreenName[]).map((name) => {
        const { title, icon: Icon } = screens[name];
        return (
          <a key={name} href={`#/${name}`} aria-current={screen.value === name ? "page" : undefined}>
            <span class="tab-icon">
              <Icon />
            </span>
            <span>{title}</span>
          </a>
        );
      })}
    </>
  );
}

/** Shown where the server has several streams. */
function StreamChoice() {
  if (streamIds.value.length < 2) return null;
  return (
    <select
      class="field stream-choice"
      aria-label="Stream"
      value={stream.value?.id}
      onChange={(event) => chooseStream(event.currentTarget.value)}
    >
      {streamIds.value.map((id) => (
        <option key={id} value={id}>
          {id}
        </option>
      ))}
    </select>
  );
}

function Lamp() {
  const current = stream.value;
  const live = connection.value === "live" && current?.running === true;
  const playedMs =
    current === undefined ? 0 : current.playedMs + (live ? Math.max(0, nowMs.value - streamReadAt.value) : 0);
  return (
    <span class={live ? "lamp on" : "lamp"} role="status">
      <i class="lamp-dot" />
      {live ? `On air ${clock(playedMs)}` : connection.value === "connecting" ? "Connecting" : "Off air"}
    </span>
  );
}

function TokenDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (needsToken.value) dialog.current?.showModal();
    else dialog.current?.close();
  }, [needsToken.value]);
  return (
    <dialog ref={dialog} aria-labelledby="token-title" onCancel={(event) => event.preventDefault()}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          setToken(String(new FormData(event.currentTarget).get("token")));
        }}
      >
        <h2 id="token-title">This server wants a token</h2>
        <p class="muted">It was printed or chosen when the server was started, and stays in this tab only.</p>
        {isTokenRefused.value && (
          <p class="alarm" role="alert">
            That was not its token.
          </p>
        )}
        <input
          class="field"
          name="token"
          type="password"
          required
          autocomplete="current-password"
          aria-label="Token"
        />
        <button type="submit" class="button primary">
          Continue
        </button>
      </form>
    </dialog>
  );
}
