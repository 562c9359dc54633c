import type { Signal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { clock } from "../format.ts";
import { followPinch } from "./pinch.ts";
import { inside, moved, pinched, type View, zoomed } from "./time-view.ts";

/** How a picture is zoomed: `chosen` is undefined while all of it is shown. Several pictures may share one. */
export interface Zoom {
  readonly chosen: Signal<View | undefined>;
  readonly whole: View;
  /** The closest that one gets. */
  readonly leastMs: number;
}

export function viewOf({ chosen, whole, leastMs }: Zoom): View {
  return chosen.value === undefined ? whole : inside(chosen.value, whole, leastMs);
}

function change(zoom: Zoom, next: View): void {
  const view = inside(next, zoom.whole, zoom.leastMs);
  const isWhole = view.toMs - view.fromMs > 0.999 * (zoom.whole.toMs - zoom.whole.fromMs);
  zoom.chosen.value = isWhole ? undefined : view;
}

/**
 * Zooms and moves a picture by hand: two fingers or the wheel with Ctrl (what a pinch on a touch pad sends) zoom, one finger, the mouse or a
 * wheel to the side move what is zoomed. `plot` says which part of the element's width the time axis has, in pixels from both edges.
 */
export function useZoomByHand(
  target: RefObject<HTMLElement>,
  zoom: Zoom,
  plot = { left: 0, right: 0 },
): void {
  const latest = useRef(zoom);
  latest.current = zoom;
  useEffect(() => {
    const element = target.current!;
    /** A share of the element's width as one of the time axis. */
    const onAxis = (share: number) =>
      (share * element.clientWidth - plot.left) / (element.clientWidth - plot.left - plot.right);
    const step = (factor: number, from: number, to: number) =>
      change(latest.current, pinched(viewOf(latest.current), { factor, from: onAxis(from), to: onAxis(to) }));
    const shareAt = (clientX: number) => {
      const { left, width } = element.getBoundingClientRect();
      return (clientX - left) / width;
    };
    let dragged: number | undefined;
    const down = (event: PointerEvent) => {
      const isDrag = event.isPrimary && event.button === 0 && latest.current.chosen.value !== undefined;
      dragged = isDrag ? shareAt(event.clientX) : undefined;
      if (isDrag) element.setPointerCapture(event.pointerId);
    };
    const move = (event: PointerEvent) => {
      if (dragged === undefined || !event.isPrimary) return;
      const at = shareAt(event.clientX);
      step(1, dragged, at);
      dragged = at;
    };
    const up = () => {
      dragged = undefined;
    };
    const wheel = (event: WheelEvent) => {
      const isSideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (!event.ctrlKey && !(isSideways && latest.current.chosen.value !== undefined)) return;
      event.preventDefault();
      const at = shareAt(event.clientX);
      if (event.ctrlKey) step(2 ** (Math.max(-100, Math.min(100, event.deltaY)) / 100), at, at);
      else step(1, at, at - event.deltaX / element.clientWidth);
    };
    const end = followPinch(element, ({ factor, from, to }) => {
      dragged = undefined;
      step(factor, from, to);
    });
    element.addEventListener("pointerdown", down);
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", up);
    element.addEventListener("pointercancel", up);
    element.addEventListener("wheel", wheel, { passive: false });
    return () => {
      end();
      element.removeEventListener("pointerdown", down);
      element.removeEventListener("pointermove", move);
      element.removeEventListener("pointerup", up);
      element.removeEventListener("pointercancel", up);
      element.removeEventListener("wheel", wheel);
    };
  }, []);
}

/** The same for the keyboard and for single clicks: closer, farther, all; the arrow keys move. `name` says of what. */
export function ZoomButtons(props: {
  name: string;
  zoom: Zoom;
  /** What is shown, in words; times of a sound otherwise. */
  text?: string;
  /** Says what is shown to screen readers only. */
  isQuiet?: boolean;
}) {
  const { name, zoom, text, isQuiet = false } = props;
  const view = viewOf(zoom);
  const middle = (view.fromMs + view.toMs) / 2;
  const lengthMs = view.toMs - view.fromMs;
  const isZoomed = zoom.chosen.value !== undefined;
  const keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => change(zoom, moved(view, -lengthMs / 10)),
    ArrowRight: () => change(zoom, moved(view, lengthMs / 10)),
    "+": () => change(zoom, zoomed(view, 0.5, middle)),
    "=": () => change(zoom, zoomed(view, 0.5, middle)),
    "-": () => change(zoom, zoomed(view, 2, middle)),
    Escape: () => change(zoom, zoom.whole),
  };
  const shown = text ?? `${clock(view.fromMs)} to ${clock(view.toMs)}`;
  return (
    <fieldset
      class="zoom"
      aria-label={`Zoom of ${name}: ${shown}. The arrow keys move.`}
      onKeyDown={(event) => {
        const action = keys[event.key];
        if (action === undefined) return;
        event.preventDefault();
        action();
      }}
    >
      {!isQuiet && (
        <span class="zoom-shown" aria-hidden="true">
          {isZoomed ? shown : ""}
        </span>
      )}
      <ZoomButton sign="−" label={`Show more of ${name}`} isIdle={!isZoomed} onClick={keys["-"]!} />
      <ZoomButton
        sign="+"
        label={`Come closer in ${name}`}
        isIdle={lengthMs <= zoom.leastMs * 1.001}
        onClick={keys["+"]!}
      />
      <ZoomButton sign="All" label={`Show all of ${name}`} isIdle={!isZoomed} onClick={keys["Escape"]!} />
    </fieldset>
  );
}

/** Idle, not disabled: a button that is disabled by its own click would lose the focus. */
function ZoomButton(props: { sign: string; label: string; isIdle: boolean; onClick: () => void }) {
  return (
    <button
      type="button"
      class="button"
      aria-label={props.label}
      aria-disabled={props.isIdle}
      onClick={props.onClick}
    >
      {props.sign}
    </button>
  );
}
