import { fileURLToPath } from "node:url";
import { PeerProcess } from "./peer-process.ts";
import type { TargetTable } from "./target-table.ts";

const commandLine = fileURLToPath(new URL("../../../apps/cli/dist/main.js", import.meta.url));
const address = "rist://127.0.0.1:41990?buffer=500";
const listening = "rist://@127.0.0.1:41990?buffer=500";
const rateMbps = 100;
const seconds = 5;

interface Flow {
  readonly delivered?: number;
  readonly lost?: number;
}

/** 100 Mbit/s from the built-in source over one loopback link to nowhere: CPU of both ends together, memory, and what was lost. */
export async function measureThroughput(table: TargetTable): Promise<void> {
  const receiver = new PeerProcess(process.execPath, [
    ...[commandLine, "link", "receive", "--bind", listening, "--output", "/dev/null", "--json"],
  ]);
  await receiver.firstLine();
  const sender = new PeerProcess(process.execPath, [
    ...[commandLine, "link", "send", "--source", "test", "--bitrate", `${rateMbps}M`, "--buffer", "500"],
    ...["--dest", address, "--json"],
  ]);
  await sender.firstLine();
  await pause(2000);
  const before = {
    cpu: sender.cpuSeconds() + receiver.cpuSeconds(),
    flow: lastFlow(receiver),
    at: performance.now(),
  };
  const rssBefore = sender.rssMb() + receiver.rssMb();
  await pause(1000 * seconds);
  const elapsed = (performance.now() - before.at) / 1000;
  const cores = (sender.cpuSeconds() + receiver.cpuSeconds() - before.cpu) / elapsed;
  const flow = lastFlow(receiver);
  const growth = sender.rssMb() + receiver.rssMb() - rssBefore;
  const memory = [sender.rssMb(), receiver.rssMb()].map((value) => value.toFixed(0)).join(", ");
  await sender.stop();
  await receiver.stop();
  const delivered = (flow.delivered ?? 0) - (before.flow.delivered ?? 0);
  const lost = (flow.lost ?? 0) - (before.flow.lost ?? 0);
  const note = `${((delivered * 1316 * 8) / 1e6 / seconds).toFixed(0)} Mbit/s delivered, ${lost} packets lost`;
  table.add(
    `${rateMbps} Mbit/s in and out, cores of both ends together`,
    "<= 1.00, 0 lost",
    cores.toFixed(2),
    note,
    cores <= 1 && lost === 0 && delivered > 0,
  );
  table.add(
    `${rateMbps} Mbit/s: resident memory, MB`,
    "",
    memory,
    `grew by ${growth.toFixed(1)} in ${seconds} s`,
  );
}

/** The flow of the last statistics that a process printed. */
function lastFlow(peer: PeerProcess): Flow {
  const lines = peer.output.trim().split("\n");
  for (let i = lines.length - 1; i >= 0; i--) {
    try {
      return (JSON.parse(lines[i]!) as { flow: Flow }).flow;
    } catch {
      // A line that is still being written.
    }
  }
  return {};
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
