import { signal } from "@preact/signals";
import { type ScreenName, screenNames } from "./screen-names.ts";

/** The screen that the address names, after the #. */
export const screen = signal<ScreenName>(read());

function read(): ScreenName {
  const name = location.hash.replace(/^#\/?/, "");
  return screenNames.find((each) => each === name) ?? "on-air";
}

addEventListener("hashchange", () => {
  screen.value = read();
  document.querySelector<HTMLElement>("main")?.focus({ preventScroll: true });
  scrollTo(0, 0);
});
