import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { isTokenRefused, needsToken, setToken } from "./api.ts";
import { clock } from "./format.ts";
import { chooseStream, connection, stream, streamIds, streamReadAt } from "./live/live.ts";
import {
  AirIcon,
  DiscIcon,
  EarIcon,
  GaugeIcon,
  LabIcon,
  LinkIcon,
  Logo,
  MoonIcon,
  MoreIcon,
  ReelIcon,
  SpeakIcon,
  SunIcon,
} from "./parts/icons.tsx";
import { Notices } from "./parts/notices.tsx";
import { nowMs } from "./parts/now.ts";
import { screen } from "./router.ts";
import { type ScreenName, screenNames } from "./screen-names.ts";
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
      <button type="button" class="button skip" onClick={() => document.querySelector("main")?.focus()}>
        Skip to the screen
      </button>
      <header class="top">
        <a class="brand" href="#/on-air" aria-label="Longwave, on air">
          <Logo />
          <span>Longwave</span>
        </a>
        <nav class="tabs" aria-label="Screens">
          <Tabs names={screenNames} />
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
        <Body />
      </main>
      <Notices />
      <BottomTabs />
      <TokenDialog />
    </div>
  );
}

function Tabs({ names }: { names: readonly ScreenName[] }) {
  return (
    <>
      {names.map((name) => {
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

/** So many screens have room on a phone; the others are behind More. */
const onBar = 4;
const isMoreOpen = signal(false);

/** The navigation of a phone, in reach of the thumb. */
function BottomTabs() {
  const nav = useRef<HTMLElement>(null);
  const others = screenNames.slice(onBar);
  useEffect(() => {
    isMoreOpen.value = false;
  }, [screen.value]);
  useEffect(() => {
    const close = (event: Event) => {
      const isInside = event.target instanceof Node && nav.current?.contains(event.target) === true;
      if (event instanceof KeyboardEvent ? event.key === "Escape" : !isInside) isMoreOpen.value = false;
    };
    addEventListener("pointerdown", close);
    addEventListener("keydown", close);
    return () => {
      removeEventListener("pointerdown", close);
      removeEventListener("keydown", close);
    };
  }, []);
  return (
    <nav class="bottom-tabs" aria-label="Screens" ref={nav}>
      <div class="more-tabs" id="more-screens" hidden={!isMoreOpen.value}>
        <Tabs names={others} />
      </div>
      <Tabs names={screenNames.slice(0, onBar)} />
      <button
        type="button"
        aria-expanded={isMoreOpen.value}
        aria-controls="more-screens"
        data-current={others.includes(screen.value)}
        onClick={() => {
          isMoreOpen.value = !isMoreOpen.value;
        }}
      >
        <span class="tab-icon">
          <MoreIcon />
        </span>
        <span>More</span>
      </button>
    </nav>
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
    <span class={live ? "lamp on" : "lamp"}>
      <i class="lamp-dot" />
      <span role="status">
        {live ? "On air" : connection.value === "connecting" ? "Connecting" : "Off air"}
      </span>
      {live && <span class="lamp-time">{clock(playedMs)}</span>}
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
