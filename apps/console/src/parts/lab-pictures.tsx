import type { LabConstellation, LabTrace } from "../live/lab-messages.ts";
import { axisBelow, axisLeft, drawTimes, drawWord, Picture } from "./picture.tsx";

export const modeNames = ["SILK", "hybrid", "CELT"] as const;
export const bandwidthNames = ["4 kHz", "6 kHz", "8 kHz", "12 kHz", "20 kHz"] as const;
export const modeColours = ["var(--good)", "var(--bad)", "var(--accent)"] as const;

/** Height of the lane that shows the bandwidth. */
const lane = 56;

/** Packets from left to right: height is size, colour is mode; the line below is audio bandwidth. */
export function TracePicture({ trace, seconds }: { trace: LabTrace; seconds: number }) {
  const most = Math.max(1, ...trace.bytes);
  return (
    <Picture
      height={230}
      label="Size, mode and bandwidth of each packet"
      draw={(context, width, height, colour) => {
        const colours = [colour("good"), colour("bad"), colour("accent")];
        const count = trace.bytes.length;
        const bottom = height - axisBelow;
        const top = bottom - lane - 10;
        const wide = width - axisLeft;
        drawTimes(
          context,
          { to: seconds * 1000, x: (ms) => axisLeft + (ms / (seconds * 1000)) * wide, y: bottom },
          colour,
        );
        drawWord(context, `${most} B`, 10, colour);
        drawWord(context, "0 B", top - 6, colour);
        // Whole pixels: edges that fall between two would make a pattern of their own.
        const gap = wide / count >= 3 ? 1 : 0;
        for (let i = 0; i < count; i++) {
          context.fillStyle = colours[trace.mode[i]!]!;
          const size = Math.max(1, (trace.bytes[i]! / most) * (top - 6));
          const left = Math.floor(axisLeft + (i / count) * wide);
          const right = Math.ceil(axisLeft + ((i + 1) / count) * wide);
          context.fillRect(left, top - size, Math.max(1, right - left - gap), size);
        }
        const laneY = (bandwidth: number) => bottom - 8 - (bandwidth / 4) * (lane - 16);
        for (const bandwidth of [0, 2, 4]) {
          drawWord(context, bandwidthNames[bandwidth]!, laneY(bandwidth), colour);
          context.fillStyle = colour("line");
          context.fillRect(axisLeft, laneY(bandwidth), wide, 1);
        }
        context.strokeStyle = colour("ink-2");
        context.lineWidth = 1.5;
        context.beginPath();
        for (let i = 0; i < count; i++) {
          const y = laneY(trace.bandwidth[i]!);
          context.lineTo(axisLeft + (i / count) * wide, y);
          context.lineTo(axisLeft + ((i + 1) / count) * wide, y);
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
      height={280}
      label="Spectral peaks of the original and of the coded sound"
      draw={(context, width, height, colour) => {
        const bottom = height - axisBelow;
        const x = (ms: number) => axisLeft + (ms / (seconds * 1000)) * (width - axisLeft);
        const y = (hz: number) => bottom - 4 - (hz / original.maxHz) * (bottom - 10);
        drawTimes(context, { to: seconds * 1000, x, y: bottom }, colour);
        for (let hz = 1000; hz < original.maxHz; hz += 1000)
          drawWord(context, `${hz / 1000} kHz`, y(hz), colour);
        context.strokeStyle = colour("ink-2");
        for (let i = 0; i < original.peaks.length; i += 3) {
          context.beginPath();
          context.arc(x(original.peaks[i]!), y(original.peaks[i + 1]!), 3.2, 0, 7);
          context.stroke();
        }
        if (coded === undefined) return;
        context.fillStyle = colour("accent");
        for (let i = 0; i < coded.peaks.length; i += 3) {
          context.beginPath();
          context.arc(x(coded.peaks[i]!), y(coded.peaks[i + 1]!), 1.9, 0, 7);
          context.fill();
        }
      }}
    />
  );
}
