import type { LinkModel } from "@longwave/netsim";
import { lossModel } from "./bonded-path.ts";

/** A link to be made. */
export interface LinkPlan {
  readonly id: string;
  readonly name: string;
  readonly forward: LinkModel;
  readonly backward: LinkModel;
}

/** The two links of a station in a box: a mobile one with bursts of loss, and a line that is nearly clean. */
export const defaultLinks: readonly LinkPlan[] = [
  {
    id: "lte",
    name: "LTE",
    forward: { delayMs: 60, jitterMs: 8, loss: lossModel(0.08) },
    backward: { delayMs: 60, jitterMs: 8, loss: 0.01 },
  },
  {
    id: "dsl",
    name: "DSL",
    forward: { delayMs: 15, jitterMs: 2, loss: lossModel(0.01) },
    backward: { delayMs: 15, jitterMs: 2, loss: 0.002 },
  },
];

/** Two links that nothing is put on: what a sound takes that is not to be spoiled. */
export const cleanLinks: readonly LinkPlan[] = [
  { id: "link-1", name: "Link 1", forward: {}, backward: {} },
  { id: "link-2", name: "Link 2", forward: {}, backward: {} },
];

/** Time that the receiver waits for repeats: several rounds over the slower link. */
export const bondBufferMs = 700;
