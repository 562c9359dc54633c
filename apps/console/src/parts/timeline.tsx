import { useEffect, useRef } from "preact/hooks";
import { loadOutlines, type OutlinePiece } from "../live/archive-feed.ts";
import { axisStepMs, endMs } from "../live/archive-time.ts";
import type { Recording } from "../model.ts";
import { theme } from "../theme.ts";
import { followPinch } from "./pinch.ts";
import { moved, pinched, type View, zoomed } from "./time-view.ts";
import { followPresses } from "./timeline-press.ts";

interface TimelineProps {
  readonly recordings: readonly Recording[];
  readonly view: View;
  readonly selection: View | undefined;
  readonly cursorMs: number;
  readonly playheadMs: number | undefined;
  /** The button went down over a moment: it may become a click. */
  readonly onAim: (ms: number) => void;
  /** A click; `askedAt` is its time on the page's clock. */
  readonly onPlay: (ms: number, askedAt: number) => void;
  readonly onSelect: (selection: View) => void;
  /** Zoomed or moved. */
  readonly onView: (view: View) => void;
  readonly onKey: (event: KeyboardEvent) => void;
}

/**
 * A zoomable picture of the archive: the outline of the sound over wall-clock time, gaps, a selection, and where it plays. Click
 * plays, dragging selects, the wheel and two fingers zoom and move; the keys are listed below it.
 */
export function Timeline(props: TimelineProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pieces = useRef<readonly OutlinePiece[]>([]);
  const latest = useRef(props);
  latest.current = props;
  /** Where the mouse is, in pixels of the canvas. */
  const hoverX = useRef<number | undefined>(undefined);
  const { recordings, view } = props;
  const redraw = () => draw(canvas.current, latest.current, pieces.current, hoverX.current);

  useEffect(() => {
    const abort = new AbortController();
    const width = canvas.current?.clientWidth ?? 800;
    loadOutlines(recordings, view.fromMs, view.toMs, Math.max(60, Math.round(width / 2)), abort.signal)
      .then((loaded) => {
        pieces.current = loaded;
        redraw();
      })
      .catch(() => {
        // The list says when the server is gone; the picture stays as it was.
      });
    return () => abort.abort();
  }, [recordings, view.fromMs, view.toMs]);
  useEffect(redraw, [
    recordings,
    view.fromMs,
    view.toMs,
    props.selection,
    props.cursorMs,
    props.playheadMs,
    theme.value,
  ]);
  useEffect(() => {
    const observer = new ResizeObserver(redraw);
    observer.observe(canvas.current!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const target = canvas.current!;
    const msAt = (clientX: number) => {
      const { left, width } = target.getBoundingClientRect();
      const { fromMs, toMs } = latest.current.view;
      return fromMs + ((clientX - left) / width) * (toMs - fromMs);
    };
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const shown = latest.current.view;
      const share = event.deltaX / target.clientWidth;
      latest.current.onView(
        Math.abs(event.deltaX) > Math.abs(event.deltaY)
          ? moved(shown, share * (shown.toMs - shown.fromMs))
          : zoomed(shown, 2 ** (Math.max(-100, Math.min(100, event.deltaY)) / 200), msAt(event.clientX)),
      );
    };
    const hover = (event: PointerEvent) => {
      const isOver = event.type === "pointermove" && event.pointerType === "mouse";
      hoverX.current = isOver ? event.clientX - target.getBoundingClientRect().left : undefined;
      redraw();
    };
    const ends = [
      followPresses(target, () => ({ ...latest.current, msAt })),
      followPinch(target, (step) => latest.current.onView(pinched(latest.current.view, step))),
    ];
    target.addEventListener("wheel", wheel, { passive: false });
    target.addEventListener("pointermove", hover);
    target.addEventListener("pointerleave", hover);
    return () => {
      for (const end of ends) end();
      target.removeEventListener("wheel", wheel);
      target.removeEventListener("pointermove", hover);
      target.removeEventListener("pointerleave", hover);
    };
  }, []);

  return (
    <canvas
      ref={canvas}
      class="timeline"
      tabIndex={0}
      role="slider"
      aria-label="Archive timeline"
      aria-describedby="timeline-keys"
      aria-valuemin={Math.round(view.fromMs)}
      aria-valuemax={Math.round(view.toMs)}
      aria-valuenow={Math.round(props.cursorMs)}
      aria-valuetext={new Date(props.cursorMs).toLocaleString()}
      onKeyDown={props.onKey}
    />
  );
}

function draw(
  canvas: HTMLCanvasElement | null,
  { recordings, view, selection, cursorMs, playheadMs }: TimelineProps,
  pieces: readonly OutlinePiece[],
  hoverX: number | undefined,
): void {
  const context = canvas?.getContext("2d");
  if (canvas === null || context === null || context === undefined) return;
  const ratio = Math.min(2, devicePixelRatio);
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const style = getComputedStyle(canvas);
  const colour = (name: string) => style.getPropertyValue(`--${name}`);
  const { fromMs, toMs } = view;
  const x = (ms: number) => ((ms - fromMs) / (toMs - fromMs)) * width;
  const axis = 24;
  const middle = (height - axis) / 2;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = colour("bg");
  context.fillRect(0, 0, width, height);

  context.fillStyle = colour("panel-2");
  for (const { spans } of recordings) {
    for (const span of spans) {
      const left = Math.max(0, x(span.startMs));
      const right = Math.min(width, x(endMs(span)));
      if (right > left) context.fillRect(left, 4, right - left, height - axis - 8);
    }
  }
  if (selection !== undefined) {
    const left = Math.max(0, x(selection.fromMs));
    context.fillStyle = colour("accent-soft");
    context.fillRect(left, 0, Math.max(1, x(selection.toMs) - left), height - axis);
  }
  for (const [key, shade] of [
    ["peak", 0.45],
    ["rms", 1],
  ] as const) {
    context.globalAlpha = shade;
    context.fillStyle = colour("accent");
    for (const piece of pieces) {
      const levels = piece[key];
      const step = (piece.toMs - piece.fromMs) / levels.length;
      const bar = Math.max(1, (step / (toMs - fromMs)) * width - 0.4);
      for (let i = 0; i < levels.length; i++) {
        const left = x(piece.fromMs + i * step);
        if (left < -bar || left > width) continue;
        const half = Math.max(0.5, (levels[i]! / 255) * (middle - 8));
        context.fillRect(left, middle - half, bar, 2 * half);
      }
    }
  }
  context.globalAlpha = 1;
  drawAxis(context, view, width, height, { line: colour("line"), ink: colour("ink-2"), x });
  if (selection !== undefined) {
    context.fillStyle = colour("accent");
    for (const ms of [selection.fromMs, selection.toMs]) context.fillRect(x(ms) - 1, 0, 2, height - axis);
  }
  context.fillStyle = colour("ink-3");
  context.fillRect(x(cursorMs) - 0.5, 0, 1, height - axis);
  if (playheadMs !== undefined) {
    context.fillStyle = colour("ink");
    context.fillRect(x(playheadMs) - 1, 0, 2, height - axis);
  }
  if (hoverX !== undefined) {
    const ms = fromMs + (hoverX / width) * (toMs - fromMs);
    const isGap = !recordings.some(({ spans }) =>
      spans.some((span) => ms >= span.startMs && ms < endMs(span)),
    );
    const text = `${preciseTime(ms, toMs - fromMs)}${isGap ? ", nothing recorded" : ""}`;
    drawHover(context, { at: hoverX, width, height: height - axis, text }, colour);
  }
}

/** The moment below the mouse: what a click would play. */
function drawHover(
  context: CanvasRenderingContext2D,
  { at, width, height, text }: { at: number; width: number; height: number; text: string },
  colour: (name: string) => string,
): void {
  context.fillStyle = colour("ink-2");
  context.fillRect(Math.round(at), 0, 1, height);
  const wide = context.measureText(text).width + 14;
  const left = Math.max(2, Math.min(width - wide - 2, at - wide / 2));
  context.fillStyle = colour("ink");
  context.beginPath();
  context.roundRect(left, 4, wide, 20, 6);
  context.fill();
  context.fillStyle = colour("bg");
  context.fillText(text, left + 7, 14.5);
}

/** A time of day; to the tenth of a second where less than a minute and a half is in view. */
function preciseTime(ms: number, viewMs: number): string {
  const at = new Date(ms);
  return at.toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    ...(viewMs < 90_000 && { fractionalSecondDigits: 1 }),
  });
}

function drawAxis(
  context: CanvasRenderingContext2D,
  { fromMs, toMs }: View,
  width: number,
  height: number,
  { line, ink, x }: { line: string; ink: string; x: (ms: number) => number },
): void {
  const step = axisStepMs(toMs - fromMs, Math.max(2, Math.floor(width / 96)));
  const zone = new Date(fromMs).getTimezoneOffset() * 60_000;
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  let free = 0;
  const first = Math.ceil((fromMs - zone) / step) * step + zone;
  for (let ms = first; ms < toMs; ms += step) {
    const at = new Date(ms);
    context.fillStyle = line;
    context.fillRect(Math.round(x(ms)), 0, 1, height - 20);
    context.fillStyle = ink;
    const isDay =
      step >= 86_400_000 || (at.getHours() === 0 && at.getMinutes() === 0 && at.getSeconds() === 0);
    const text = isDay
      ? at.toLocaleDateString([], { day: "numeric", month: "short" })
      : at.toLocaleTimeString([], {
          hour: "2-digit",
          minute: "2-digit",
          hourCycle: "h23",
          ...(step < 60_000 && { second: "2-digit" }),
        });
    const label = context.measureText(text).width;
    const left = Math.max(2, Math.min(width - label - 2, x(ms) - label / 2));
    if (left < free) continue;
    free = left + label + 10;
    context.fillText(text, left, height - 10);
  }
}
