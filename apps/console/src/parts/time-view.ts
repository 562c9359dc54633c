/** A stretch of time that is shown, in ms: of a day (Unix time) or of a sound. */
export interface View {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What two fingers did since their last step. */
export interface PinchStep {
  /** How many times longer the view gets: below 1 it comes closer. */
  readonly factor: number;
  /** Where their middle was and where it is, as a share of the width from the left, 0 to 1. */
  readonly from: number;
  readonly to: number;
}

/** The view made longer by `factor` (shorter below 1) about a moment that stays where it is. */
export function zoomed({ fromMs, toMs }: View, factor: number, aroundMs: number): View {
  return { fromMs: aroundMs - (aroundMs - fromMs) * factor, toMs: aroundMs + (toMs - aroundMs) * factor };
}

/** The view moved on; a negative distance moves it back. */
export function moved({ fromMs, toMs }: View, byMs: number): View {
  return { fromMs: fromMs + byMs, toMs: toMs + byMs };
}

/** The view after a step of two fingers: the moment between them stays between them. */
export function pinched({ fromMs, toMs }: View, { factor, from, to }: PinchStep): View {
  const heldMs = fromMs + from * (toMs - fromMs);
  const lengthMs = (toMs - fromMs) * factor;
  return { fromMs: heldMs - to * lengthMs, toMs: heldMs + (1 - to) * lengthMs };
}

/** The view at a length between the two, about its middle. */
export function ofLength(view: View, leastMs: number, mostMs: number): View {
  const lengthMs = view.toMs - view.fromMs;
  const wanted = Math.min(mostMs, Math.max(leastMs, lengthMs));
  return wanted === lengthMs ? view : zoomed(view, wanted / lengthMs, (view.fromMs + view.toMs) / 2);
}

/** The view inside `whole`, at least `leastMs` long. */
export function inside(view: View, whole: View, leastMs: number): View {
  const { fromMs, toMs } = ofLength(
    view,
    Math.min(leastMs, whole.toMs - whole.fromMs),
    whole.toMs - whole.fromMs,
  );
  return moved({ fromMs, toMs }, Math.max(0, whole.fromMs - fromMs) - Math.max(0, toMs - whole.toMs));
}

/** The view moved so that at least a tenth of it shows something of `whole`, which may be shorter than the view. */
export function touching(view: View, whole: View): View {
  const share = (view.toMs - view.fromMs) / 10;
  const back = Math.max(0, view.fromMs + share - whole.toMs);
  const on = Math.max(0, whole.fromMs - (view.toMs - share));
  return moved(view, on - back);
}
