import { signal } from "@preact/signals";

/** This page's clock, moved on four times a second while something that shows it is on the page. */
export const nowMs = signal(performance.now());

setInterval(() => {
  if (!document.hidden) nowMs.value = performance.now();
}, 250);
