import type { Context } from "hono";
import type { StreamAnswer } from "./stream-answer.ts";

/** The part of JSON Schema that our documents use. */
export interface Schema {
  readonly type?:
    | "object"
    | "array"
    | "string"
    | "integer"
    | "number"
    | "boolean"
    | "null"
    | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly items?: Schema;
  readonly enum?: readonly (string | number | null)[];
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly format?: string;
  readonly default?: string | number | boolean;
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  /** Default: those of the path are, the others are not. */
  readonly required?: boolean;
  readonly description: string;
  readonly schema: Schema;
}

/** The body that a route takes. */
export interface Body {
  /** The schema describes the first; where JSON is among them, browsers must name one of them. */
  readonly contentType: string | readonly string[];
  readonly description: string;
  readonly schema: Schema;
}

/** What a route answers when all is well. */
export interface Answer {
  readonly status: 200 | 201 | 204;
  readonly description: string;
  /** Several where a parameter chooses; the first is the default, and the one that the schema describes. */
  readonly contentType?: string | readonly string[];
  readonly schema?: Schema;
}

/**
 * One route: what it does, and what the OpenAPI document says of it. The document is made from this very table, and a test
 * compares it with what the running server answers.
 */
export interface Route {
  readonly method: "get" | "post" | "put" | "delete";
  /** As in OpenAPI, with `{id}`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly parameters?: readonly Parameter[];
  readonly body?: Body;
  /** Largest body in bytes; default 64 KiB. */
  readonly maxBodyBytes?: number;
  /** Requests of this route that may run at once, until the last byte of their answer; default 64. More are refused with 503. */
  readonly maxConcurrent?: number;
  /** Longest time until the answer begins, ms; default 10,000. */
  readonly timeoutMs?: number;
  /** No token needed. */
  readonly open?: boolean;
  readonly answer: Answer;
  readonly handle: (
    context: Context,
    signal: AbortSignal,
  ) => Promise<Response | StreamAnswer> | Response | StreamAnswer;
}

/** The types of a body or an answer, the default first. */
export function contentTypesOf(part: Pick<Answer, "contentType"> | undefined): readonly string[] {
  const types = part?.contentType ?? [];
  return typeof types === "string" ? [types] : types;
}

/** An object schema whose properties are all required. */
export function objectOf(
  properties: Readonly<Record<string, Schema>>,
  optional: readonly string[] = [],
): Schema {
  return {
    type: "object",
    properties,
    required: Object.keys(properties).filter((name) => !optional.includes(name)),
    additionalProperties: false,
  };
}

export const text: Schema = { type: "string" };
export const integer: Schema = { type: "integer" };
export const number: Schema = { type: "number" };
export const flag: Schema = { type: "boolean" };
export const textOrNull: Schema = { type: ["string", "null"] };
export const integerOrNull: Schema = { type: ["integer", "null"] };
export const numberOrNull: Schema = { type: ["number", "null"] };
export const listOf = (items: Schema): Schema => ({ type: "array", items });

/** A JSON answer; not stored by anybody on the way. */
export function json(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store" },
  });
}
