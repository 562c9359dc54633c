import type { Schema } from "../src/route.ts";

/** What breaks the schema, as sentences with a path; empty where the value fits. Knows the part of JSON Schema that we use. */
export function schemaProblems(value: unknown, schema: Schema, at = "$"): string[] {
  if (schema.anyOf !== undefined) {
    const all = schema.anyOf.map((each) => schemaProblems(value, each, at));
    return all.some((problems) => problems.length === 0)
      ? []
      : [`${at}: fits none of its forms: ${all.flat().join("; ")}`];
  }
  const types = schema.type === undefined ? [] : [schema.type].flat();
  if (types.length > 0 && !types.some((type) => isOfType(value, type))) {
    return [`${at}: ${JSON.stringify(value)?.slice(0, 60)} is not ${types.join(" or ")}`];
  }
  const problems: string[] = [];
  if (schema.enum !== undefined && !schema.enum.includes(value as string))
    problems.push(`${at}: not one of the values`);
  if (Array.isArray(value) && schema.items !== undefined) {
    for (const [i, item] of value.entries())
      problems.push(...schemaProblems(item, schema.items, `${at}[${i}]`));
  }
  if (typeof value === "object" && value !== null && schema.properties !== undefined) {
    const object = value as Record<string, unknown>;
    for (const name of schema.required ?? [])
      if (!(name in object)) problems.push(`${at}: ${name} is missing`);
    for (const [name, item] of Object.entries(object)) {
      const property = schema.properties[name];
      if (property !== undefined) problems.push(...schemaProblems(item, property, `${at}.${name}`));
      else if (schema.additionalProperties === false) problems.push(`${at}: ${name} is not described`);
    }
  }
  return problems;
}

function isOfType(value: unknown, type: string): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}
