/** What a key of version 0 became. `undefined` means that it has no successor. */
const linkSuccessors: Readonly<Record<string, string | undefined>> = {
  recovery_maxbitrate: "max_bitrate",
  recovery_reorder_buffer: undefined,
};

/**
 * Brings an older configuration to the present version. Version 0 is the layout of earlier bonding tools: `recovery_*`
 * keys inside `[[links]]`, bit rates in kilobits per second. A file without a version is of version 1.
 * @returns the new values, and a sentence for everything that changed
 */
export function migrateConfig(values: Readonly<Record<string, unknown>>): {
  values: Record<string, unknown>;
  warnings: string[];
} {
  const warnings: string[] = [];
  const result: Record<string, unknown> = { ...values };
  if (values["version"] !== 0) return { values: result, warnings };
  result["version"] = 1;
  warnings.push("version 0 was read as version 1; set version = 1 and rename the keys named below");
  if (!Array.isArray(values["links"])) return { values: result, warnings };
  let largestRtt = 0;
  result["links"] = values["links"].map((link: unknown, index) => {
    if (typeof link !== "object" || link === null) return link;
    const moved: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(link)) {
      if (key === "recovery_rtt_max" && typeof value === "number") {
        largestRtt = Math.max(largestRtt, value);
        warnings.push(
          `links[${index}].recovery_rtt_max is now lifecycle.rtt_max_ms, the largest of all links`,
        );
      } else if (key in linkSuccessors) {
        const successor = linkSuccessors[key];
        if (successor === undefined) {
          warnings.push(`links[${index}].${key} has no successor: reordering is measured`);
        } else {
          moved[successor] = typeof value === "number" ? value * 1000 : value;
          warnings.push(`links[${index}].${key} (kbit/s) is now ${successor} (bit/s)`);
        }
      } else moved[key] = value;
    }
    return moved;
  });
  if (largestRtt > 0) {
    const lifecycle = (values["lifecycle"] ?? {}) as Record<string, unknown>;
    result["lifecycle"] = { rtt_max_ms: largestRtt, ...lifecycle };
  }
  return { values: result, warnings };
}
