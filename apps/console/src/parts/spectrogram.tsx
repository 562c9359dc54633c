import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { hertz } from "../format.ts";
import { scope } from "../live/scope-feed.ts";
import { followPinch } from "./pinch.ts";

/** Columns kept in the strip that is scaled into view. */
const stripColumns = 1024;
/** Pixels of a second: about twenty seconds on a desktop, six on a phone. */
const pixelsPerSecond = 64;
/** The longest that is shown: a little less than the strip holds. */
const longestSeconds = 32;
/** How many times closer than that one looks. */
const closer = signal(1);
const closest = 5;
const farthest = 0.15;
const ticksHz = [100, 200, 500, 1000, 2000, 5000, 10_000];
const leftMargin = 52;
/** A peak is drawn larger for this long after it was found. */
const flashMs = 350;

const palette = makePalette([
  [0, 0x0a, 0x0a, 0x0f],
  [0.22, 0x1c, 0x14, 0x3c],
  [0.45, 0x66, 0x1d, 0x6b],
  [0.66, 0xc8, 0x3f, 0x52],
  [0.84, 0xff, 0x9d, 0x3c],
  [1, 0xff, 0xf6, 0xd8],
]);

function comeCloser(factor: number): void {
  closer.value = Math.min(closest, Math.max(farthest, closer.value * factor));
}

/** Closer and farther, for the keyboard and for single clicks. */
export function SpectrogramZoom() {
  return (
    <fieldset class="zoom scope-zoom" aria-label="Zoom of the spectrogram">
      <button type="button" class="button" aria-label="Show more seconds" onClick={() => comeCloser(0.5)}>
        −
      </button>
      <button type="button" class="button" aria-label="Show fewer seconds" onClick={() => comeCloser(2)}>
        +
      </button>
    </fieldset>
  );
}

/** The live spectrogram with the constellation of peaks: time runs to the left, frequency upwards on a scale of octaves. */
export function Spectrogram() {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const ends = [
      draw(canvas.current!),
      followPinch(canvas.current!, ({ factor }) => comeCloser(1 / factor)),
    ];
    return () => {
      for (const end of ends) end();
    };
  }, []);
  return (
    <canvas
      ref={canvas}
      role="img"
      aria-label="Live spectrogram of the received sound with the spectral peaks that identify it"
    />
  );
}

/** Runs the drawing loop; returns the function that ends it. */
function draw(canvas: HTMLCanvasElement): () => void {
  const context = canvas.getContext("2d", { alpha: false })!;
  const strip = document.createElement("canvas");
  const stripContext = strip.getContext("2d", { alpha: false })!;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let drawnColumns = 0;
  let headMs = 0;
  let last = 0;
  let frame = 0;
  const firstSeen = new WeakMap<object, number>();

  const paint = (now: number) => {
    frame = requestAnimationFrame(paint);
    if (calm.matches && now - last < 250) return;
    const elapsed = Math.min(100, now - last);
    last = now;
    fit(canvas);
    const { width, height } = canvas;
    const { form } = scope;
    context.fillStyle = "#0a0a0f";
    context.fillRect(0, 0, width, height);
    if (form === undefined || scope.count === 0) {
      drawnColumns = 0;
      return;
    }
    if (strip.height !== form.rows) {
      strip.width = stripColumns;
      strip.height = form.rows;
      drawnColumns = 0;
    }
    if (scope.count < drawnColumns) drawnColumns = 0;
    drawnColumns = addColumns(stripContext, drawnColumns, form.rows);
    // The right edge follows the newest column smoothly, although columns come in bursts.
    headMs +=
      elapsed + (scope.newestMs - headMs - elapsed) * (Math.abs(scope.newestMs - headMs) > 1000 ? 1 : 0.06);
    const scale = devicePixelRatio || 1;
    const perSecond = Math.max(width / scale / longestSeconds, pixelsPerSecond * closer.peek());
    const visibleMs = (width / scale / perSecond) * 1000;
    drawStrip(context, strip, form.columnMs, headMs, visibleMs);
    drawScale(context, form.lowHz, form.highHz, visibleMs, scale);
    drawPeaks(context, form.lowHz, form.highHz, headMs, visibleMs, scale, now, firstSeen);
  };
  frame = requestAnimationFrame(paint);
  return () => cancelAnimationFrame(frame);
}

function fit(canvas: HTMLCanvasElement): void {
  const scale = devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * scale);
  const height = Math.round(canvas.clientHeight * scale);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
}

/** Paints the columns that are new into the strip (a ring, like the data); returns how many are painted. */
function addColumns(context: CanvasRenderingContext2D, from: number, rows: number): number {
  const first = Math.max(from, scope.count - stripColumns);
  if (first >= scope.count) return scope.count;
  const image = context.createImageData(1, rows);
  const pixels = new Uint32Array(image.data.buffer);
  for (let column = first; column < scope.count; column++) {
    const base = (column % scope.capacity) * rows;
    for (let row = 0; row < rows; row++) pixels[rows - 1 - row] = palette[scope.levels[base + row]!]!;
    context.putImageData(image, column % stripColumns, 0);
  }
  return scope.count;
}

function drawStrip(
  context: CanvasRenderingContext2D,
  strip: HTMLCanvasElement,
  columnMs: number,
  headMs: number,
  visibleMs: number,
): void {
  const { width, height } = context.canvas;
  const perColumn = (width * columnMs) / visibleMs;
  const lastX = width - ((headMs - scope.newestMs) / visibleMs) * width;
  const columns = Math.min(scope.count, stripColumns - 1, Math.ceil(width / perColumn) + 3);
  const firstColumn = scope.count - columns;
  const firstX = lastX - columns * perColumn;
  context.imageSmoothingEnabled = true;
  const start = firstColumn % stripColumns;
  const untilWrap = Math.min(columns, stripColumns - start);
  context.drawImage(strip, start, 0, untilWrap, strip.height, firstX, 0, untilWrap * perColumn, height);
  if (untilWrap < columns) {
    const rest = columns - untilWrap;
    const x = firstX + untilWrap * perColumn;
    context.drawImage(strip, 0, 0, rest, strip.height, x, 0, rest * perColumn, height);
  }
}

function yOf(hz: number, lowHz: number, highHz: number, height: number): number {
  return height * (1 - Math.log(hz / lowHz) / Math.log(highHz / lowHz));
}

function drawScale(
  context: CanvasRenderingContext2D,
  lowHz: number,
  highHz: number,
  visibleMs: number,
  scale: number,
): void {
  const { width, height } = context.canvas;
  const shade = context.createLinearGradient(0, 0, leftMargin * 1.6 * scale, 0);
  shade.addColorStop(0, "rgba(10,10,15,0.82)");
  shade.addColorStop(1, "rgba(10,10,15,0)");
  context.fillStyle = shade;
  context.fillRect(0, 0, leftMargin * 1.6 * scale, height);
  context.font = `${11.5 * scale}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const hz of ticksHz) {
    const y = yOf(hz, lowHz, highHz, height);
    if (y < 16 * scale || y > height - 12 * scale) continue;
    context.fillStyle = "rgba(255,255,255,0.09)";
    context.fillRect(leftMargin * scale, y, width, scale);
    context.fillStyle = "#c9c6bd";
    context.fillText(hertz(hz), (leftMargin - 8) * scale, y);
  }
  const floor = context.createLinearGradient(0, height - 44 * scale, 0, height);
  floor.addColorStop(0, "rgba(10,10,15,0)");
  floor.addColorStop(0.55, "rgba(10,10,15,0.72)");
  floor.addColorStop(1, "rgba(10,10,15,0.9)");
  context.fillStyle = floor;
  context.fillRect(0, height - 44 * scale, width, 44 * scale);
  context.textAlign = "center";
  context.textBaseline = "bottom";
  const pixels = (width / scale / visibleMs) * 1000;
  const step = [0.5, 1, 2, 5, 10].find((each) => each * pixels >= 96) ?? 20;
  for (let seconds = step; seconds * 1000 < visibleMs; seconds += step) {
    const x = width * (1 - (seconds * 1000) / visibleMs);
    if (x < (leftMargin + 20) * scale) break;
    context.fillStyle = "rgba(255,255,255,0.07)";
    context.fillRect(x, 0, scale, height);
    context.fillStyle = "#c9c6bd";
    context.fillText(`−${seconds} s`, x, height - 6 * scale);
  }
}

function drawPeaks(
  context: CanvasRenderingContext2D,
  lowHz: number,
  highHz: number,
  headMs: number,
  visibleMs: number,
  scale: number,
  now: number,
  firstSeen: WeakMap<object, number>,
): void {
  const { width, height } = context.canvas;
  context.lineWidth = 1.4 * scale;
  context.strokeStyle = "rgba(127,240,224,0.88)";
  context.beginPath();
  for (let i = scope.peaks.length - 1; i >= 0; i--) {
    const peak = scope.peaks[i]!;
    const age = headMs - peak.atMs;
    if (age > visibleMs + 4000) break;
    if (peak.hz <= lowHz || age < 0 || age > visibleMs) continue;
    if (width * (1 - age / visibleMs) < leftMargin * scale) continue;
    let seen = firstSeen.get(peak);
    if (seen === undefined) {
      seen = now;
      firstSeen.set(peak, now);
    }
    const flash = Math.max(0, 1 - (now - seen) / flashMs);
    const x = width * (1 - age / visibleMs);
    const y = yOf(peak.hz, lowHz, highHz, height);
    const radius = (1.6 + 1.9 * (peak.level / 255) + 4 * flash) * scale;
    context.moveTo(x + radius, y);
    context.arc(x, y, radius, 0, 2 * Math.PI);
  }
  context.stroke();
}

/** 256 colours between stops of [position, red, green, blue], as the canvas wants them (little-endian RGBA). */
function makePalette(stops: readonly (readonly [number, number, number, number])[]): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const at = i / 255;
    const next = Math.max(
      1,
      stops.findIndex(([position]) => position >= at),
    );
    const [from, to] = [stops[next - 1]!, stops[next]!];
    const mix = (at - from[0]) / (to[0] - from[0]);
    const part = (k: 1 | 2 | 3) => Math.round(from[k] + (to[k] - from[k]) * mix);
    return ((255 << 24) | (part(3) << 16) | (part(2) << 8) | part(1)) >>> 0;
  });
}
