import type { Page } from "playwright-core";

/** A layout shift as the browser scores it: share of the window that moved, times how far. */
export interface LayoutShift {
  readonly page: number;
  readonly screen: string;
  /** Milliseconds since the page's start. */
  readonly at: number;
  readonly value: number;
  /** What moved, in words. */
  readonly what: string;
}

/** Runs in the page from its start: notes every layout shift, also those that follow a press. */
export function watchShifts(): void {
  type Shift = PerformanceEntry & {
    value: number;
    sources: { node: Node | null; previousRect: DOMRectReadOnly; currentRect: DOMRectReadOnly }[];
  };
  const shifts: LayoutShift[] = [];
  (globalThis as unknown as { shifts: LayoutShift[] }).shifts = shifts;
  new PerformanceObserver((list) => {
    for (const { startTime, value, sources } of list.getEntries() as Shift[]) {
      const what = sources.map(({ node, previousRect: from, currentRect: to }) => {
        const element = node instanceof Element ? node : node?.parentElement;
        return `${element?.tagName} ${element?.className} from ${from.x}, ${from.y} to ${to.x}, ${to.y}`;
      });
      const page = performance.timeOrigin;
      shifts.push({ page, screen: location.hash, at: startTime, value, what: what.join("; ") });
    }
  }).observe({ type: "layout-shift", buffered: true });
}

export async function readShifts(page: Page): Promise<LayoutShift[]> {
  // Shifts are told after the frame in which they happened.
  return page.evaluate(async () => {
    for (let i = 0; i < 3; i++) await new Promise((drawn) => requestAnimationFrame(drawn));
    return (globalThis as unknown as { shifts: LayoutShift[] }).shifts;
  });
}

/** The worst window of shifts: at most 5 s long, none more than 1 s after the one before (the definition of CLS). */
export function worstWindow(shifts: readonly LayoutShift[]): { score: number; what: string[] } {
  let worst: { score: number; what: string[] } = { score: 0, what: [] };
  let window: LayoutShift[] = [];
  for (const shift of shifts.toSorted((a, b) => a.page - b.page || a.at - b.at)) {
    const [first, last] = [window[0], window.at(-1)];
    const goesOn = first?.page === shift.page && shift.at - last!.at <= 1000 && shift.at - first.at <= 5000;
    window = goesOn ? [...window, shift] : [shift];
    const score = window.reduce((sum, { value }) => sum + value, 0);
    if (score > worst.score) worst = { score, what: window.map(({ value, what }) => `${value}: ${what}`) };
  }
  return worst;
}
