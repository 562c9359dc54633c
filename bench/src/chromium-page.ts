import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { chromium, type Page } from "playwright-core";
import { build } from "vite";

/** Debian's Chromium. */
export const chromiumPath = "/usr/bin/chromium";

/** A page of Chromium that runs a bundled module. */
export interface ChromiumPage {
  readonly version: string;
  readonly page: Page;
  close(): Promise<void>;
}

/**
 * Opens a page on loopback.
 *
 * @param source a module; what it imports is bundled as an application would do it
 * @param serve files beside it, by path
 */
export async function openChromiumPage(
  source: string,
  serve: (path: string) => Uint8Array | undefined = () => undefined,
): Promise<ChromiumPage> {
  const { script, assets } = await bundle(source);
  const server = createServer((request, response) => {
    const file = serve(request.url ?? "");
    const asset = assets.get(request.url ?? "");
    if (file !== undefined) response.end(file);
    else if (asset !== undefined) response.setHeader("content-type", "text/javascript").end(asset);
    else if (request.url === "/page.js") response.setHeader("content-type", "text/javascript").end(script);
    else
      response
        .setHeader("content-type", "text/html")
        .end('<!doctype html><script type="module" src="/page.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({
    executablePath: chromiumPath,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-sync",
      "--autoplay-policy=no-user-gesture-required",
    ],
  });
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return {
    version: browser.version(),
    page,
    close: async () => {
      await browser.close();
      server.close();
    },
  };
}

/** The page's script, and by path the scripts of workers and worklets beside it. */
async function bundle(
  source: string,
): Promise<{ script: string; assets: ReadonlyMap<string, string | Uint8Array> }> {
  const result = await build({
    root: fileURLToPath(new URL("../..", import.meta.url)),
    configFile: false,
    logLevel: "error",
    plugins: [
      {
        name: "page",
        resolveId: (id) => (id === "page" ? "\0page" : undefined),
        load: (id) => (id === "\0page" ? source : undefined),
      },
    ],
    worker: { format: "es" },
    build: { write: false, modulePreload: false, rollupOptions: { input: "page", output: { format: "es" } } },
  });
  type Output = { code?: string; fileName: string; source?: string | Uint8Array };
  const outputs = ((Array.isArray(result) ? result : [result]) as { output: Output[] }[])[0]?.output ?? [];
  const assets = new Map<string, string | Uint8Array>();
  for (const { fileName, source: bytes } of outputs)
    if (bytes !== undefined) assets.set(`/${fileName}`, bytes);
  return { script: outputs.map((each) => each.code ?? "").join("\n"), assets };
}
