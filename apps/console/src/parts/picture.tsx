import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { axisStepMs } from "../live/archive-time.ts";
import { theme } from "../theme.ts";
import type { View } from "./time-view.ts";
import { useZoomByHand, viewOf, type Zoom } from "./zoom.tsx";

export type Draw = (context: CanvasRenderingContext2D, width: number, height: number, colour: Colour) => void;
/** A colour of the theme by its name in console.css. */
export type Colour = (name: string) => string;

interface PictureProps {
  readonly canvas?: RefObject<HTMLCanvasElement>;
  /** Its class in the stylesheet, which knows the height. */
  readonly size: "scatter" | "bars" | "packets" | "peaks";
  readonly label: string;
  readonly draw: Draw;
}

/** Draws what of a picture is in view; `x` places a moment. */
export type DrawView = (
  context: CanvasRenderingContext2D,
  frame: {
    readonly width: number;
    readonly height: number;
    readonly colour: Colour;
    readonly view: View;
    readonly x: (ms: number) => number;
  },
) => void;

/** A canvas that is drawn again when its inputs, its size or the theme change. */
export function Picture({ canvas: given, size, label, draw }: PictureProps) {
  const own = useRef<HTMLCanvasElement>(null);
  const canvas = given ?? own;
  const latest = useRef(draw);
  latest.current = draw;
  const paint = () => {
    const target = canvas.current;
    const context = target?.getContext("2d");
    if (target === null || context === null || context === undefined) return;
    const ratio = Math.min(2, devicePixelRatio);
    target.width = Math.round(target.clientWidth * ratio);
    target.height = Math.round(target.clientHeight * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.font = "12px system-ui, sans-serif";
    const style = getComputedStyle(target);
    latest.current(context, target.clientWidth, target.clientHeight, (name) =>
      style.getPropertyValue(`--${name}`),
    );
  };
  useEffect(paint);
  useEffect(() => {
    const observer = new ResizeObserver(paint);
    observer.observe(canvas.current!);
    const light = matchMedia("(prefers-color-scheme: light)");
    light.addEventListener("change", paint);
    return () => {
      observer.disconnect();
      light.removeEventListener("change", paint);
    };
  }, []);
  void theme.value;
  return <canvas ref={canvas} class={`trace ${size}`} role="img" aria-label={label} />;
}

/** A picture over time that can be zoomed and moved by hand; its axis begins at `axisLeft`. */
export function ZoomPicture(props: Omit<PictureProps, "canvas" | "draw"> & { zoom: Zoom; draw: DrawView }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useZoomByHand(canvas, props.zoom, { left: axisLeft, right: 0 });
  const view = viewOf(props.zoom);
  return (
    <Picture
      canvas={canvas}
      size={props.size}
      label={props.label}
      draw={(context, width, height, colour) => {
        const x = (ms: number) =>
          axisLeft + ((ms - view.fromMs) / (view.toMs - view.fromMs)) * (width - axisLeft);
        props.draw(context, { width, height, colour, view, x });
      }}
    />
  );
}

/** Room for the words of the axes: left of a picture and below it. */
export const axisLeft = 50;
export const axisBelow = 20;

/** Keeps what is drawn from now on to the right of the axis, until `context.restore()`. */
export function clipToAxis(context: CanvasRenderingContext2D, width: number, height: number): void {
  context.save();
  context.beginPath();
  context.rect(axisLeft, 0, width - axisLeft, height);
  context.clip();
}

/** Seconds along the bottom, `0:10` for ten; `x` places a moment given in ms. */
export function drawTimes(
  context: CanvasRenderingContext2D,
  { from = 0, to, x, y }: { from?: number; to: number; x: (ms: number) => number; y: number },
  colour: Colour,
): void {
  const step = axisStepMs(to - from, Math.max(2, (x(to) - x(from)) / 70));
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (let ms = Math.ceil(from / step) * step; ms <= to; ms += step) {
    context.fillStyle = colour("line");
    context.fillRect(Math.round(x(ms)), 0, 1, y);
    context.fillStyle = colour("ink-3");
    const seconds = Math.floor(ms / 1000) % 60;
    const part = step < 1000 ? `.${String(Math.round((ms % 1000) / 100))}` : "";
    const text = `${Math.floor(ms / 60_000)}:${String(seconds).padStart(2, "0")}${part}`;
    const half = context.measureText(text).width / 2;
    context.fillText(text, Math.min(x(to) - half, x(ms)), y + axisBelow / 2);
  }
}

/** A word at the left edge, level with `y`. */
export function drawWord(context: CanvasRenderingContext2D, word: string, y: number, colour: Colour): void {
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.fillStyle = colour("ink-3");
  context.fillText(word, axisLeft - 6, y);
}
