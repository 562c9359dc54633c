import type { PinchStep } from "./time-view.ts";

/** Fingers closer than this count as this far apart, in pixels: a step between two that nearly touch would be wild. */
const leastSpread = 24;

interface Finger {
  readonly x: number;
  readonly y: number;
}

/**
 * Tells the steps of two fingers on an element until the returned function is called. While there are two, the browser neither scrolls
 * nor zooms the page for them; one finger stays the element's own business.
 */
export function followPinch(target: HTMLElement, onPinch: (step: PinchStep) => void): () => void {
  const fingers = new Map<number, Finger>();
  const down = ({ pointerId, pointerType, clientX: x, clientY: y }: PointerEvent) => {
    if (pointerType === "touch") fingers.set(pointerId, { x, y });
  };
  const move = ({ pointerId, clientX: x, clientY: y }: PointerEvent) => {
    if (!fingers.has(pointerId)) return;
    const before = middle(fingers);
    fingers.set(pointerId, { x, y });
    const after = middle(fingers);
    if (before === undefined || after === undefined) return;
    const { left, width } = target.getBoundingClientRect();
    onPinch({
      factor: before.spread / after.spread,
      from: (before.x - left) / width,
      to: (after.x - left) / width,
    });
  };
  const up = ({ pointerId }: PointerEvent) => {
    fingers.delete(pointerId);
  };
  const hold = (event: TouchEvent) => {
    if (event.touches.length > 1 && event.cancelable) event.preventDefault();
  };
  target.addEventListener("pointerdown", down);
  target.addEventListener("pointermove", move);
  target.addEventListener("pointerup", up);
  target.addEventListener("pointercancel", up);
  target.addEventListener("touchmove", hold, { passive: false });
  return () => {
    target.removeEventListener("pointerdown", down);
    target.removeEventListener("pointermove", move);
    target.removeEventListener("pointerup", up);
    target.removeEventListener("pointercancel", up);
    target.removeEventListener("touchmove", hold);
  };
}

/** Middle and distance of two fingers; undefined while there are not two. */
function middle(fingers: ReadonlyMap<number, Finger>): { x: number; spread: number } | undefined {
  const [a, b, more] = [...fingers.values()];
  if (a === undefined || b === undefined || more !== undefined) return undefined;
  return { x: (a.x + b.x) / 2, spread: Math.max(leastSpread, Math.hypot(a.x - b.x, a.y - b.y)) };
}
