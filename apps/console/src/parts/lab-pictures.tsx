import { useEffect, useRef } from "preact/hooks";
import type { LabConstellation, LabTrace } from "../live/lab-messages.ts";
import { theme } from "../theme.ts";

export const modeNames = ["SILK", "hybrid", "CELT"] as const;
export const bandwidthNames = ["4 kHz", "6 kHz", "8 kHz", "12 kHz", "20 kHz"] as const;
export const modeColours = ["var(--good)", "var(--bad)", "var(--accent)"] as const;

type Draw = (context: CanvasRenderingContext2D, width: number, height: number, colour: Colour) => void;
type Colour = (name: string) => string;

/** A canvas that is drawn again when its inputs or its size change. */
function Picture({ height, label, draw }: { height: number; label: string; draw: Draw }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useRef(draw);
  latest.current = draw;
  const paint = () => {
    const target = canvas.current;
    const context = target?.getContext("2d");
    if (target === null || context === null || context === undefined) return;
    const ratio = Math.min(2, devicePixelRatio);
    target.width = Math.round(target.clientWidth * ratio);
    target.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(target);
    latest.current(context, target.clientWidth, height, (name) => style.getPropertyValue(`--${name}`));
  };
  useEffect(paint);
  useEffect(() => {
    const observer = new ResizeObserver(paint);
    observer.observe(canvas.current!);
    return () => observer.disconnect();
  }, []);
  void theme.value;
  return (
    <canvas ref={canvas} class="trace" style={{ height: `${height}px` }} role="img" aria-label={label} />
  );
}

/** Packets from left to right: height is size, colour is mode; the line below is audio bandwidth. */
export function TracePicture({ trace }: { trace: LabTrace }) {
  const most = Math.max(1, ...trace.bytes);
  return (
    <Picture
      height={170}
      label="Size, mode and bandwidth of each packet"
      draw={(context, width, height, colour) => {
        const colours = [colour("good"), colour("bad"), colour("accent")];
        const count = trace.bytes.length;
        const top = height - 44;
        const bar = Math.max(1, width / count);
        for (let i = 0; i < count; i++) {
          context.fillStyle = colours[trace.mode[i]!]!;
          const size = Math.max(1, (trace.bytes[i]! / most) * (top - 6));
          context.fillRect((i / count) * width, top - size, Math.max(0.8, bar - 0.4), size);
        }
        context.strokeStyle = colour("ink-2");
        context.lineWidth = 1.5;
        context.beginPath();
        for (let i = 0; i < count; i++) {
          const y = height - 6 - (trace.bandwidth[i]! / 4) * 30;
          context.lineTo((i / count) * width, y);
          context.lineTo(((i + 1) / count) * width, y);
        }
        context.stroke();
      }}
    />
  );
}

/** The peaks that identify the sound: those of the original as rings, those that the codec kept filled. */
export function ConstellationPicture({
  original,
  coded,
  seconds,
}: {
  original: LabConstellation;
  coded: LabConstellation | undefined;
  seconds: number;
}) {
  return (
    <Picture
      height={260}
      label="Spectral peaks of the original and of the coded sound"
      draw={(context, width, height, colour) => {
        const x = (ms: number) => (ms / (seconds * 1000)) * width;
        const y = (hz: number) => height - 6 - (hz / original.maxHz) * (height - 12);
        context.strokeStyle = colour("ink-3");
        for (let i = 0; i < original.peaks.length; i += 3) {
          context.beginPath();
          context.arc(x(original.peaks[i]!), y(original.peaks[i + 1]!), 2.6, 0, 7);
          context.stroke();
        }
        if (coded === undefined) return;
        context.fillStyle = colour("accent");
        for (let i = 0; i < coded.peaks.length; i += 3) {
          context.beginPath();
          context.arc(x(coded.peaks[i]!), y(coded.peaks[i + 1]!), 1.7, 0, 7);
          context.fill();
        }
      }}
    />
  );
}
