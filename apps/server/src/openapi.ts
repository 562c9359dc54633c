import { type Answer, contentTypesOf, type Route, type Schema } from "./route.ts";

const problemSchema: Schema = {
  type: "object",
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string", description: "What was wrong and what to do." },
    code: { type: "string", description: "Stable code, such as server/not-found." },
  },
  required: ["type", "title", "status", "detail", "code"],
};

/** The OpenAPI 3.1 document of a table of routes. */
export function openApiDocument(routes: readonly Route[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    paths[route.path]![route.method] = operationOf(route);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Longwave",
      version,
      description: "A radio station in a box: live streams, what is playing, the catalog and events.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      schemas: { Problem: problemSchema },
    },
  };
}

function operationOf(route: Route): Record<string, unknown> {
  const { answer, body } = route;
  const content = contentOf(answer);
  return {
    operationId: `${route.method}${route.path.replace(/[^a-zA-Z0-9]+(.)?/g, (_, next: string | undefined) => next?.toUpperCase() ?? "")}`,
    tags: [route.tag],
    summary: route.summary,
    ...(route.open === true ? { security: [] } : {}),
    parameters: (route.parameters ?? []).map((parameter) => ({
      ...parameter,
      required: parameter.required ?? parameter.in === "path",
    })),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            description: body.description,
            content: contentOf(body),
          },
        }),
    responses: {
      [answer.status]: { description: answer.description, ...(content !== undefined && { content }) },
      default: {
        description: "What went wrong.",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

/** An entry a type; the schema is that of the first. */
function contentOf(
  part: Pick<Answer, "contentType" | "schema">,
): Record<string, { schema?: Schema }> | undefined {
  const types = contentTypesOf(part);
  if (types.length === 0) return undefined;
  return Object.fromEntries(
    types.map((type, i) => [type, i === 0 && part.schema !== undefined ? { schema: part.schema } : {}]),
  );
}
