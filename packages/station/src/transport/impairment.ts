import { cleanReception, defaultReception, type ReceptionSettings } from "../reception.ts";
import { cleanLinks, defaultLinks, type LinkPlan } from "./default-links.ts";

/**
 * What is put on the sound's way on purpose. `demo`: two bad links and a radio's reception, so that there is something to repair and to
 * recognise against; `none`: nothing, the sound arrives as it was sent. Either can be changed while the station runs.
 */
export type Impairment = "demo" | "none";

/** What an impairment begins with. */
export const impairments: Readonly<
  Record<Impairment, { readonly links: readonly LinkPlan[]; readonly reception: ReceptionSettings }>
> = {
  demo: { links: defaultLinks, reception: defaultReception },
  none: { links: cleanLinks, reception: cleanReception },
};
