/** The first place where two plain objects differ. */
export interface Difference {
  /** Such as `[0].frames[2].gainIndices[1]`. */
  readonly path: string;
  readonly a: unknown;
  readonly b: unknown;
}

/** Walks two plain objects in the order of their keys; undefined where they are equal. */
export function firstDifference(a: unknown, b: unknown, path = ""): Difference | undefined {
  if (Object.is(a, b)) return undefined;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return { path, a, b };
  const isList = Array.isArray(a);
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  for (const key of keys) {
    // The final range sums up the packet; what made it differ comes behind it.
    if (key === "finalRange") continue;
    const found = firstDifference(left[key], right[key], isList ? `${path}[${key}]` : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
