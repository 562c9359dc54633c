import type { Command } from "commander";
import { CliError } from "../errors.ts";
import { printResult } from "../output.ts";

const timeoutMs = 5000;

/** `longwave health`: asks a running server how it is; made for container health checks. */
export function registerHealth(program: Command): void {
  program
    .command("health")
    .description("Ask a running server whether it is alive and ready (exit code 5 if not)")
    .argument("[url]", "address of the server", "http://127.0.0.1:7373/")
    .option("--ready", "also require that everything has started")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExample:\n  longwave health http://127.0.0.1:7373/ --ready")
    .action(async (url: string, options: { ready?: boolean; json?: boolean }) => {
      const health = (await ask(url, "v1/health")) as {
        uptimeSeconds: number;
        parts?: readonly { says: string; reason: string | null }[];
      };
      const ready = (await ask(url, "v1/ready")) as {
        ready: boolean;
        waitingFor: string | null;
        degraded?: readonly string[];
      };
      const parts = health.parts ?? [];
      const report = { url, uptimeSeconds: health.uptimeSeconds, ...ready, parts };
      printResult(options.json === true, report, () => [
        `${url} is up for ${Math.round(health.uptimeSeconds)} s and ${ready.ready ? "ready" : `still ${ready.waitingFor}`}.`,
        ...parts.map(({ says, reason }) => (reason === null ? says : `${says} ${reason}`)),
      ]);
      if (options.ready === true && !ready.ready) {
        throw new CliError("cli/not-ready", "unavailable", `The server is not ready: ${ready.waitingFor}.`);
      }
    });
}

async function ask(url: string, path: string): Promise<unknown> {
  let target: URL;
  try {
    target = new URL(path, url.endsWith("/") ? url : `${url}/`);
  } catch (cause) {
    throw new CliError(
      "cli/bad-argument",
      "usage",
      `${JSON.stringify(url)} is no address; write http://host:port/.`,
      { cause },
    );
  }
  let response: Response;
  try {
    response = await fetch(target, { signal: AbortSignal.timeout(timeoutMs) });
  } catch (cause) {
    throw new CliError("cli/unreachable", "unavailable", `No server answers at ${url}; is it started?`, {
      cause,
    });
  }
  const value: unknown = await response.json().catch(() => undefined);
  if (value === undefined || (!response.ok && response.status !== 503)) {
    throw new CliError(
      "cli/unreachable",
      "unavailable",
      `${target} answered ${response.status}; is it a Longwave server?`,
    );
  }
  return value;
}
