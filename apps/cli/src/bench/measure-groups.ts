/** What `longwave bench` can measure; here so that its help needs none of it. */
export const measureGroups = ["opus", "fingerprint", "watermark", "speech", "station"] as const;
export type MeasureGroup = (typeof measureGroups)[number];
