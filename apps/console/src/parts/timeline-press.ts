import type { View } from "./time-view.ts";

/** A press that moves by fewer pixels is a click. */
const dragPixels = 5;
/** So near to an end of the selection a press takes hold of it, in pixels. */
const gripPixels = { mouse: 6, touch: 18 };

/** What a press on the timeline is about, as it is at that moment. */
export interface PressContext {
  /** The moment below a place of the window. */
  readonly msAt: (clientX: number) => number;
  readonly selection: View | undefined;
  /** The button went down over a moment: it may become a click. */
  readonly onAim: (ms: number) => void;
  /** A click; `askedAt` is its time on the page's clock. */
  readonly onPlay: (ms: number, askedAt: number) => void;
  readonly onSelect: (selection: View) => void;
}

/**
 * Follows one finger, or the mouse, on the timeline until the returned function is called: a click plays, a drag selects, a drag that
 * begins at an end of the selection moves that end. A second finger makes it none of these.
 */
export function followPresses(target: HTMLElement, context: () => PressContext): () => void {
  let press: { startX: number; startMs: number; fixedMs: number; hasMoved: boolean } | undefined;
  const down = (event: PointerEvent) => {
    press = undefined;
    if (!event.isPrimary || event.button !== 0) return;
    target.setPointerCapture(event.pointerId);
    const { msAt, selection, onAim } = context();
    const startMs = msAt(event.clientX);
    const grip = event.pointerType === "mouse" ? gripPixels.mouse : gripPixels.touch;
    const other = selection && otherEnd(selection, msAt(event.clientX - grip), msAt(event.clientX + grip));
    press = { startX: event.clientX, startMs, fixedMs: other ?? startMs, hasMoved: false };
    onAim(startMs);
  };
  const move = (event: PointerEvent) => {
    if (press === undefined || !event.isPrimary) return;
    press.hasMoved ||= Math.abs(event.clientX - press.startX) >= dragPixels;
    if (!press.hasMoved) return;
    const { msAt, onSelect } = context();
    const [a, b] = [press.fixedMs, msAt(event.clientX)];
    onSelect({ fromMs: Math.min(a, b), toMs: Math.max(a, b) });
  };
  const up = (event: PointerEvent) => {
    if (!event.isPrimary) return;
    if (press?.hasMoved === false) context().onPlay(press.startMs, event.timeStamp);
    press = undefined;
  };
  const cancel = () => {
    press = undefined;
  };
  target.addEventListener("pointerdown", down);
  target.addEventListener("pointermove", move);
  target.addEventListener("pointerup", up);
  target.addEventListener("pointercancel", cancel);
  return () => {
    target.removeEventListener("pointerdown", down);
    target.removeEventListener("pointermove", move);
    target.removeEventListener("pointerup", up);
    target.removeEventListener("pointercancel", cancel);
  };
}

/** The end of a selection that stays where it is when the other one, which lies in `[lowMs, highMs]`, is dragged. */
function otherEnd({ fromMs, toMs }: View, lowMs: number, highMs: number): number | undefined {
  if (toMs >= lowMs && toMs <= highMs) return fromMs;
  return fromMs >= lowMs && fromMs <= highMs ? toMs : undefined;
}
