import { useEffect, useRef } from "preact/hooks";
import { loadOutlines, type OutlinePiece } from "../live/archive-feed.ts";
import { axisStepMs } from "../live/archive-time.ts";
import type { Recording } from "../model.ts";
import { theme } from "../theme.ts";

/** What a timeline shows, in Unix ms. */
export interface View {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Selection {
  readonly fromMs: number;
  readonly toMs: number;
}

interface TimelineProps {
  readonly recordings: readonly Recording[];
  readonly view: View;
  readonly selection: Selection | undefined;
  readonly cursorMs: number;
  readonly playheadMs: number | undefined;
  /** The button went down over a moment: it may become a click. */
  readonly onAim: (ms: number) => void;
  /** A click; `askedAt` is its time on the page's clock. */
  readonly onPlay: (ms: number, askedAt: number) => void;
  readonly onSelect: (selection: Selection) => void;
  readonly onZoom: (factor: number, aroundMs: number) => void;
  readonly onPan: (ms: number) => void;
  readonly onKey: (event: KeyboardEvent) => void;
}

/** A press that moves by fewer pixels is a click. */
const dragPixels = 5;

/**
 * A zoomable picture of the archive: the outline of the sound over wall-clock time, gaps, a selection, and where it plays. Click
 * plays, dragging selects, the wheel zooms; the keys are listed below it.
 */
export function Timeline(props: TimelineProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pieces = useRef<readonly OutlinePiece[]>([]);
  const latest = useRef(props);
  latest.current = props;
  const { recordings, view } = props;

  useEffect(() => {
    const abort = new AbortController();
    const width = canvas.current?.clientWidth ?? 800;
    loadOutlines(recordings, view.fromMs, view.toMs, Math.max(60, Math.round(width / 2)), abort.signal)
      .then((loaded) => {
        pieces.current = loaded;
        draw(canvas.current, latest.current, loaded);
      })
      .catch(() => {
        // The list says when the server is gone; the picture stays as it was.
      });
    return () => abort.abort();
  }, [recordings, view.fromMs, view.toMs]);
  useEffect(() => draw(canvas.current, props, pieces.current));
  useEffect(() => {
    const observer = new ResizeObserver(() => draw(canvas.current, latest.current, pieces.current));
    observer.observe(canvas.current!);
    return () => observer.disconnect();
  }, []);

  const msAt = (event: MouseEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    const { fromMs, toMs } = latest.current.view;
    return fromMs + ((event.clientX - box.left) / box.width) * (toMs - fromMs);
  };
  const press = (event: PointerEvent) => {
    if (event.button !== 0) return;
    const target = event.currentTarget as HTMLCanvasElement;
    const startMs = msAt(event);
    const startX = event.clientX;
    target.setPointerCapture(event.pointerId);
    latest.current.onAim(startMs);
    const move = (next: PointerEvent) => {
      if (Math.abs(next.clientX - startX) < dragPixels) return;
      const [a, b] = [startMs, msAt(next)];
      latest.current.onSelect({ fromMs: Math.min(a, b), toMs: Math.max(a, b) });
    };
    const release = (next: PointerEvent) => {
      target.removeEventListener("pointermove", move);
      if (Math.abs(next.clientX - startX) < dragPixels) latest.current.onPlay(startMs, next.timeStamp);
    };
    target.addEventListener("pointermove", move);
    target.addEventListener("pointerup", release, { once: true });
  };
  useEffect(() => {
    const target = canvas.current!;
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const { fromMs, toMs } = latest.current.view;
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        latest.current.onPan((event.deltaX / target.clientWidth) * (toMs - fromMs));
      } else latest.current.onZoom(2 ** (Math.max(-100, Math.min(100, event.deltaY)) / 200), msAt(event));
    };
    target.addEventListener("wheel", wheel, { passive: false });
    return () => target.removeEventListener("wheel", wheel);
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
      onPointerDown={press}
      onKeyDown={props.onKey}
    />
  );
}

function draw(
  canvas: HTMLCanvasElement | null,
  { recordings, view, selection, cursorMs, playheadMs }: TimelineProps,
  pieces: readonly OutlinePiece[],
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
      const right = Math.min(width, x(span.startMs + (span.endFrame - span.startFrame) / 48));
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
  void theme.value;
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
          ...(step < 60_000 && { second: "2-digit" }),
        });
    const label = context.measureText(text).width;
    const left = Math.max(2, Math.min(width - label - 2, x(ms) - label / 2));
    if (left < free) continue;
    free = left + label + 10;
    context.fillText(text, left, height - 10);
  }
}
