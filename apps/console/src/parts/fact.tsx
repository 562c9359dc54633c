import type { ComponentChildren } from "preact";

/** A figure with its name, for a list of facts; a dash while it is not known. */
export function Fact({ name, value }: { name: string; value: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value || "–"}</dd>
    </div>
  );
}
