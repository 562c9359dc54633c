import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { clock, thousands } from "../format.ts";
import type { IdentifyAnswer } from "../model.ts";
import { axisBelow, clipToAxis, drawTimes, drawWord, ZoomPicture } from "./picture.tsx";
import type { View } from "./time-view.ts";
import { type Zoom, ZoomButtons } from "./zoom.tsx";

/** Pairs this close to the line of the match belong to it. */
const nearMs = 100;
/** Width of a bar of the histogram. */
const binMs = 250;

const clipView = signal<View | undefined>(undefined);
const distanceView = signal<View | undefined>(undefined);

/**
 * Why the answer is the answer: every pair of equal hashes by its place in the clip and in the recording, and below how many of
 * them agree on each distance of the two.
 */
export function MatchPicture({ answer }: { answer: IdentifyAnswer }) {
  const { scatter, queryMs, matchedTrackMs, match } = answer;
  useEffect(() => {
    clipView.value = undefined;
    distanceView.value = undefined;
  }, [answer]);
  if (scatter.length === 0 || matchedTrackMs === null || match === null) return null;
  const near = scatter.filter(([clipMs, trackMs]) => Math.abs(trackMs - clipMs - match.offsetMs) <= nearMs);
  const lowMs = -queryMs;
  const bars = new Array<number>(Math.ceil((matchedTrackMs - lowMs) / binMs) + 1).fill(0);
  for (const [clipMs, trackMs] of scatter)
    bars[Math.max(0, Math.floor((trackMs - clipMs - lowMs) / binMs))]!++;
  const most = Math.max(...bars);
  const clipZoom: Zoom = { chosen: clipView, whole: { fromMs: 0, toMs: queryMs }, leastMs: 500 };
  const distanceZoom: Zoom = {
    chosen: distanceView,
    whole: { fromMs: lowMs, toMs: matchedTrackMs },
    leastMs: 4000,
  };
  return (
    <figure class="match">
      <ZoomPicture
        size="scatter"
        zoom={clipZoom}
        label={`${near.length} of ${scatter.length} shared hashes lie on one line, ${clock(match.offsetMs)} into the recording`}
        draw={(context, { width, height, colour, view, x }) => {
          const bottom = height - axisBelow;
          const y = (ms: number) => bottom - 8 - (ms / matchedTrackMs) * (bottom - 16);
          drawTimes(context, { from: view.fromMs, to: view.toMs, x, y: bottom }, colour);
          for (let quarter = 0; quarter <= 4; quarter++) {
            const ms = (matchedTrackMs * quarter) / 4;
            drawWord(context, clock(ms), y(ms), colour);
          }
          clipToAxis(context, width, bottom);
          context.strokeStyle = colour("accent");
          context.globalAlpha = 0.35;
          context.lineWidth = 9;
          context.beginPath();
          context.moveTo(x(0), y(match.offsetMs));
          context.lineTo(x(queryMs), y(match.offsetMs + queryMs));
          context.stroke();
          context.globalAlpha = 0.55;
          const dots = (pairs: IdentifyAnswer["scatter"], name: string, radius: number) => {
            context.fillStyle = colour(name);
            for (const [clipMs, trackMs] of pairs) {
              context.beginPath();
              context.arc(x(clipMs), y(trackMs), radius, 0, 7);
              context.fill();
            }
          };
          dots(scatter, "ink-3", 1.6);
          context.globalAlpha = 1;
          dots(near, "accent", 2.4);
          context.restore();
        }}
      />
      <div class="picture-foot">
        <figcaption class="faint picture-text">
          Across: time in the clip. Up: time in the recording. Each dot is a detail (a hash) that both share:
          repeats in the music scatter, the match is the line ({thousands(near.length)} dots).
        </figcaption>
        <ZoomButtons name="the clip" zoom={clipZoom} />
      </div>
      <ZoomPicture
        size="bars"
        zoom={distanceZoom}
        label={`Most pairs agree that the clip begins ${clock(match.offsetMs)} into the recording`}
        draw={(context, { width, height, colour, view, x }) => {
          const bottom = height - axisBelow;
          drawTimes(context, { from: Math.max(0, view.fromMs), to: view.toMs, x, y: bottom }, colour);
          drawWord(context, thousands(most), 10, colour);
          clipToAxis(context, width, bottom);
          bars.forEach((count, bin) => {
            const ms = lowMs + bin * binMs;
            const isMatch = Math.abs(ms + binMs / 2 - match.offsetMs) <= binMs;
            context.fillStyle = colour(isMatch ? "accent" : "ink-3");
            const size = (count / most) * (bottom - 8);
            context.fillRect(x(ms), bottom - size, Math.max(1.5, x(binMs) - x(0) - 0.5), size);
          });
          context.restore();
        }}
      />
      <div class="picture-foot">
        <figcaption class="faint picture-text">
          How many dots agree on where in the recording the clip begins. One bar far above the others is an
          answer that chance does not give.
        </figcaption>
        <ZoomButtons name="the recording" zoom={distanceZoom} />
      </div>
    </figure>
  );
}
