import type { VerifyLevel } from "@longwave/archive";
import { printLine } from "../output.ts";
import { withArchive } from "./with-archive.ts";

/** `longwave archive verify STORE [ID]`: exit code 5 where anything does not hold. */
export async function verify(
  store: string,
  id: string | undefined,
  options: { level: VerifyLevel; json?: boolean },
): Promise<void> {
  await withArchive(
    store,
    async (archive) => {
      const told = (each: string, { code, message }: { code: string; message: string }) => {
        process.exitCode = 5;
        const report = {
          id: each,
          level: options.level,
          findings: [{ code, message }],
          chunks: 0,
          points: 0,
        };
        printLine(options.json === true ? JSON.stringify(report) : `${each}: ${message} (${code})`);
      };
      const ids = id === undefined ? (await archive.list(undefined, told)).map((each) => each.id) : [id];
      for (const each of ids) {
        const report = await archive.verify(each, options.level);
        if (report.findings.length > 0) process.exitCode = 5;
        if (options.json === true) {
          printLine(JSON.stringify(report));
          continue;
        }
        const state = report.findings.length === 0 ? "ok" : `${report.findings.length} findings`;
        printLine(
          `${each}: ${state} (${options.level}: ${report.chunks} chunks, ${report.points} seek points)`,
        );
        // All chunks of a shard that is missing say the same.
        const lines = new Set(report.findings.map((finding) => `  ${finding.message} (${finding.code})`));
        for (const line of lines) printLine(line);
      }
    },
    { mustExist: true },
  );
}
