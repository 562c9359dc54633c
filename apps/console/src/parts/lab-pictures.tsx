import type { LabConstellation, LabTrace } from "../live/lab-messages.ts";
import { axisBelow, axisLeft, clipToAxis, drawTimes, drawWord, ZoomPicture } from "./picture.tsx";
import type { Zoom } from "./zoom.tsx";

/** In words, with the name that the standard (RFC 6716) has for it. */
export const modeNames = ["speech (SILK)", "both (hybrid)", "music (CELT)"] as const;
export const bandwidthNames = ["4 kHz", "6 kHz", "8 kHz", "12 kHz", "20 kHz"] as const;
export const modeColours = ["var(--mode-speech)", "var(--mode-both)", "var(--accent)"] as const;

/** Height of the lane that shows the bandwidth. */
const lane = 56;

/** Packets from left to right: height is size, colour is mode; the line below is audio bandwidth. */
export function TracePicture({ trace, zoom }: { trace: LabTrace; zoom: Zoom }) {
  const most = Math.max(1, ...trace.bytes);
  return (
    <ZoomPicture
      size="packets"
      label="Size, mode and bandwidth of each packet"
      zoom={zoom}
      draw={(context, { width, height, colour, view, x }) => {
        const colours = [colour("mode-speech"), colour("mode-both"), colour("accent")];
        const count = trace.bytes.length;
        const bottom = height - axisBelow;
        const top = bottom - lane - 10;
        const laneY = (bandwidth: number) => bottom - 8 - (bandwidth / 4) * (lane - 16);
        const packetMs = zoom.whole.toMs / count;
        const packetWide = x(packetMs) - x(0);
        drawTimes(context, { from: view.fromMs, to: view.toMs, x, y: bottom }, colour);
        drawWord(context, `${most} B`, 10, colour);
        drawWord(context, "0 B", top - 6, colour);
        for (const bandwidth of [0, 2, 4]) {
          drawWord(context, bandwidthNames[bandwidth]!, laneY(bandwidth), colour);
          context.fillStyle = colour("line");
          context.fillRect(axisLeft, laneY(bandwidth), width - axisLeft, 1);
        }
        clipToAxis(context, width, height);
        const first = Math.max(0, Math.floor(view.fromMs / packetMs));
        const end = Math.min(count, Math.ceil(view.toMs / packetMs));
        // Whole pixels: edges that fall between two would make a pattern of their own.
        const gap = packetWide >= 3 ? 1 : 0;
        for (let i = first; i < end; i++) {
          context.fillStyle = colours[trace.mode[i]!]!;
          const size = Math.max(1, (trace.bytes[i]! / most) * (top - 6));
          const left = Math.floor(x(i * packetMs));
          const right = Math.ceil(x((i + 1) * packetMs));
          context.fillRect(left, top - size, Math.max(1, right - left - gap), size);
        }
        context.strokeStyle = colour("ink-2");
        context.lineWidth = 1.5;
        context.beginPath();
        for (let i = first; i < end; i++) {
          const y = laneY(trace.bandwidth[i]!);
          context.lineTo(x(i * packetMs), y);
          context.lineTo(x((i + 1) * packetMs), y);
        }
        context.stroke();
        context.restore();
      }}
    />
  );
}

/** The peaks that identify the sound: those of the original as rings, those that the codec kept filled. */
export function ConstellationPicture({
  original,
  coded,
  zoom,
}: {
  original: LabConstellation;
  coded: LabConstellation | undefined;
  zoom: Zoom;
}) {
  return (
    <ZoomPicture
      size="peaks"
      label="Spectral peaks of the original and of the coded sound"
      zoom={zoom}
      draw={(context, { width, height, colour, view, x }) => {
        const bottom = height - axisBelow;
        const y = (hz: number) => bottom - 4 - (hz / original.maxHz) * (bottom - 10);
        drawTimes(context, { from: view.fromMs, to: view.toMs, x, y: bottom }, colour);
        for (let hz = 1000; hz < original.maxHz; hz += 1000)
          drawWord(context, `${hz / 1000} kHz`, y(hz), colour);
        clipToAxis(context, width, bottom);
        context.strokeStyle = colour("ink-2");
        for (let i = 0; i < original.peaks.length; i += 3) {
          context.beginPath();
          context.arc(x(original.peaks[i]!), y(original.peaks[i + 1]!), 3.2, 0, 7);
          context.stroke();
        }
        context.fillStyle = colour("accent");
        for (let i = 0; i < (coded?.peaks.length ?? 0); i += 3) {
          context.beginPath();
          context.arc(x(coded!.peaks[i]!), y(coded!.peaks[i + 1]!), 1.9, 0, 7);
          context.fill();
        }
        context.restore();
      }}
    />
  );
}
