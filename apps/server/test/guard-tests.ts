import { describe, expect, test } from "vitest";
import { createApp } from "../src/index.ts";
import { app, base, options } from "./app-world.ts";

/** What the guard lets through. */
export function guardTests(): void {
  describe("the guard", () => {
    const token = "a-token-of-twenty-ch";
    const guarded = createApp({ ...options, token, loopback: false });

    test("wants the token everywhere but for health, readiness and version", async () => {
      for (const path of ["/health", "/v1/health", "/v1/ready", "/v1/version"]) {
        expect((await guarded.request(base + path)).status, path).toBe(200);
      }
      for (const path of ["/v1/streams", "/v1/events", "/v1/catalog/tracks", "/v1/metrics"]) {
        const response = await guarded.request(base + path);
        expect(response.status, path).toBe(401);
        expect(response.headers.get("www-authenticate")).toContain("Bearer");
      }
    });

    test("takes the right token only", async () => {
      const ask = (value: string) =>
        guarded.request(`${base}/v1/streams`, { headers: { authorization: value } });
      expect((await ask(`Bearer ${token}`)).status).toBe(200);
      for (const wrong of ["Bearer x", token, `Basic ${token}`, `Bearer ${token}x`]) {
        expect((await ask(wrong)).status, wrong).toBe(401);
      }
    });

    test("does not answer on loopback under a foreign name", async () => {
      for (const path of ["/v1/streams", "/openapi.json", "/", "/nothing"]) {
        expect((await app.request(`http://rebound.example${path}`)).status, path).toBe(403);
      }
      expect((await app.request("http://127.0.0.1:7373/v1/streams")).status).toBe(200);
      expect((await app.request("http://[::1]:7373/v1/streams")).status).toBe(200);
    });

    test("lets no foreign page change anything, whichever way it asks", async () => {
      const known = createApp({ ...options, corsOrigins: ["https://radio.example"] });
      const ask = async (method: string, path: string, headers: Record<string, string>) =>
        (await known.request(base + path, { method, headers, body: method === "DELETE" ? null : "{}" }))
          .status;
      const { paths } = (await (await app.request(`${base}/openapi.json`)).json()) as {
        paths: Record<string, Record<string, unknown>>;
      };
      let changes = 0;
      for (const [path, methods] of Object.entries(paths)) {
        for (const method of Object.keys(methods).map((each) => each.toUpperCase())) {
          if (method === "GET") continue;
          changes++;
          for (const headers of [
            { origin: "https://elsewhere.example" },
            // Another port of this machine is another page.
            { origin: "http://localhost:3000" },
            // A sandboxed frame, a page of a file, a redirect between origins.
            { origin: "null" },
            { origin: "null", "sec-fetch-site": "same-origin" },
            { "sec-fetch-site": "cross-site" },
            { "sec-fetch-site": "same-site" },
            { origin: "http://localhost", "sec-fetch-site": "cross-site" },
          ]) {
            const status = await ask(method, path.replace("{id}", "nowhere"), headers);
            expect(status, `${method} ${path} ${JSON.stringify(headers)}`).toBe(403);
          }
        }
      }
      expect(changes).toBeGreaterThanOrEqual(8);
    });

    test("lets its own pages, those on the list and programs change things", async () => {
      const known = createApp({ ...options, corsOrigins: ["https://radio.example"] });
      const put = async (headers: Record<string, string>) =>
        (
          await known.request(`${base}/v1/streams/studio-1/reception`, {
            method: "PUT",
            headers,
            body: JSON.stringify({ gainDb: 0, noiseDb: null, lowHz: 0, highHz: 24_000 }),
          })
        ).status;
      const type = "application/json";
      expect(await put({ origin: "http://localhost", "content-type": type })).toBe(200);
      expect(
        await put({ origin: "http://localhost", "sec-fetch-site": "same-origin", "content-type": type }),
      ).toBe(200);
      expect(
        await put({
          origin: "https://radio.example",
          "sec-fetch-site": "cross-site",
          "content-type": `${type}; charset=utf-8`,
        }),
      ).toBe(200);
      // curl -d says that it sends a form.
      expect(await put({ "content-type": "application/x-www-form-urlencoded", "user-agent": "curl/8" })).toBe(
        200,
      );
      expect(await put({})).toBe(200);
    });

    test("takes from a browser no JSON that a foreign page could send without being asked", async () => {
      const post = async (headers: Record<string, string>) => {
        const path = `${base}/v1/streams/studio-1/announcements`;
        return (await app.request(path, { method: "POST", headers, body: new TextEncoder().encode("{}") }))
          .status;
      };
      for (const browser of [
        { origin: "http://localhost" },
        { "sec-fetch-site": "same-origin" },
        { "user-agent": "Mozilla/5.0 (X11; Linux x86_64)" },
      ]) {
        for (const type of [
          "text/plain",
          "application/x-www-form-urlencoded",
          "multipart/form-data",
          undefined,
        ])
          expect(await post({ ...browser, ...(type !== undefined && { "content-type": type }) }), type).toBe(
            415,
          );
        // Taken, and then found to have no text.
        expect(await post({ ...browser, "content-type": "application/json" })).toBe(400);
      }
    });
  });
}
