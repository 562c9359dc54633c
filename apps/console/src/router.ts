import { signal } from "@preact/signals";

export type ScreenName = "on-air" | "links" | "archive" | "identify" | "speak" | "lab" | "catalog" | "system";

const names: readonly ScreenName[] = [
  "on-air",
  "links",
  "archive",
  "identify",
  "speak",
  "lab",
  "catalog",
  "system",
];

/** The screen that the address names, after the #. */
export const screen = signal<ScreenName>(read());

function read(): ScreenName {
  const name = location.hash.replace(/^#\/?/, "");
  return names.find((each) => each === name) ?? "on-air";
}

addEventListener("hashchange", () => {
  screen.value = read();
  document.querySelector<HTMLElement>("main")?.focus({ preventScroll: true });
  scrollTo(0, 0);
});
