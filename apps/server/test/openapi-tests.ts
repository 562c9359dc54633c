import { describe, expect, test } from "vitest";
import type { Schema } from "../src/route.ts";
import { app, base, catalog, excerpt, recorder } from "./app-world.ts";
import { schemaProblems } from "./json-schema.ts";

/** The OpenAPI document beside the running server. */
export function openapiTests(): void {
  describe("the OpenAPI document", () => {
    interface Operation {
      readonly operationId: string;
      readonly parameters: readonly { name: string; in: string; required: boolean }[];
      readonly responses: Readonly<Record<string, { content?: Record<string, { schema?: Schema }> }>>;
    }
    const document = async () =>
      (await (await app.request(`${base}/openapi.json`)).json()) as {
        openapi: string;
        paths: Record<string, Record<string, Operation>>;
      };

    test("describes every route once, with every parameter of its path", async () => {
      const { openapi, paths } = await document();
      expect(openapi).toBe("3.1.0");
      const ids = Object.values(paths).flatMap((methods) =>
        Object.values(methods).map(({ operationId }) => operationId),
      );
      expect(new Set(ids).size).toBe(ids.length);
      for (const [path, methods] of Object.entries(paths)) {
        const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
        for (const { parameters } of Object.values(methods)) {
          const declared = parameters
            .filter((each) => each.in === "path" && each.required)
            .map(({ name }) => name);
          expect(declared.sort(), path).toEqual(named.sort());
        }
      }
    });

    test("says the truth about what the running server answers", async () => {
      const { paths } = await document();
      const bodies: Record<string, RequestInit> = {
        "put /v1/streams/{id}/reception": {
          body: JSON.stringify({ gainDb: 0, noiseDb: -60, lowHz: 20, highHz: 15_000 }),
        },
        "put /v1/streams/{id}/encoder": { body: JSON.stringify({ bitrateBps: 64_000 }) },
        "post /v1/streams/{id}/announcements": { body: JSON.stringify({ text: "Good evening." }) },
        "put /v1/links/{id}": { body: JSON.stringify({ delayMs: 40 }) },
        "post /v1/identify": { body: excerpt() as Uint8Array<ArrayBuffer> },
        "post /v1/watermark/detect": { body: excerpt() as Uint8Array<ArrayBuffer> },
        "post /v1/catalog/tracks": { body: excerpt() as Uint8Array<ArrayBuffer> },
      };
      const queries: Record<string, string> = {
        "post /v1/catalog/tracks": "?id=clip",
        "get /v1/streams/{id}/archive": "?from=2026-01-01T00:00:01Z&to=2026-01-01T00:00:03Z",
        "get /v1/streams/{id}/proof": "?from=2026-01-01T00:00:01Z&to=2026-01-01T00:00:03Z",
      };
      const order = ["get", "put", "post", "delete"];
      const operations = Object.entries(paths)
        .flatMap(([path, methods]) =>
          Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
        )
        .sort((a, b) => order.indexOf(a.method) - order.indexOf(b.method));
      for (const { path, method, operation } of operations) {
        const id = path.startsWith("/v1/streams")
          ? "studio-1"
          : path.startsWith("/v1/links")
            ? "lte"
            : path.startsWith("/v1/archive")
              ? recorder.recording!
              : "clip";
        const url = base + path.replace("{id}", id) + (queries[`${method} ${path}`] ?? "");
        const response = await app.request(url, {
          method: method.toUpperCase(),
          ...bodies[`${method} ${path}`],
        });
        const [status, answer] = Object.entries(operation.responses)[0]!;
        expect(String(response.status), `${method} ${path}`).toBe(status);
        const [type, content] = Object.entries(answer.content ?? {})[0] ?? [];
        if (type === undefined) continue;
        expect(response.headers.get("content-type"), `${method} ${path}`).toContain(type);
        if (type === "application/json") {
          expect(schemaProblems(await response.json(), content!.schema!), `${method} ${path}`).toEqual([]);
        } else await response.body?.cancel();
      }
      expect(catalog.get("clip")).toBeUndefined();
    });
  });
}
