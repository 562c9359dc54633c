/** The screens, in the order of the navigation; each is also its address after the #. */
export const screenNames = [
  "on-air",
  "links",
  "archive",
  "identify",
  "speak",
  "lab",
  "catalog",
  "system",
] as const;

export type ScreenName = (typeof screenNames)[number];
