/** What one can reach with the Tab key. */
export const focusable: string =
  'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), [tabindex="0"]';

/** Runs in the page from its start: notes what was focused, and whether one saw it. */
export function watchFocus(): void {
  const page = globalThis as unknown as { focused: Set<Element>; unseen: Set<Element> };
  page.focused = new Set();
  page.unseen = new Set();
  addEventListener("focusin", ({ target }) => {
    if (!(target instanceof HTMLElement) || target.tabIndex < 0 || !target.matches(":focus-visible")) return;
    page.focused.add(target);
    const shown = target.closest(".drop") ?? target;
    if (getComputedStyle(shown).outlineStyle === "none") page.unseen.add(target);
  });
}

/** Runs in the page: controls that were not reached, and those of which one did not see that they were; then forgets. */
export function readFocus(selector: string): { missed: string[]; unseen: string[] } {
  const page = globalThis as unknown as { focused: Set<Element>; unseen: Set<Element> };
  const name = (each: Element) =>
    `${each.tagName} ${each.getAttribute("aria-label") ?? each.id} ${each.textContent?.slice(0, 30)}`;
  const missed = [...document.querySelectorAll(selector)]
    .filter((each) => each.getClientRects().length > 0 && !page.focused.has(each))
    .map(name);
  const unseen = [...page.unseen].map(name);
  page.focused.clear();
  page.unseen.clear();
  return { missed, unseen };
}
