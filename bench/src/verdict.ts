/** How a figure stands to its target, as every bench prints it. */
export function verdict(isOk: boolean): "ok" | "MISSED" {
  return isOk ? "ok" : "MISSED";
}
