import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/**
 * A process, told apart from every other one: by its number, by the machine's name, and on Linux also by the machine's boot, the
 * namespace that the number belongs to (containers have their own) and the moment at which the process began (numbers are used again).
 */
interface ProcessMark {
  readonly pid: number;
  readonly host: string;
  /** These three are "-" where the system does not tell them. */
  readonly boot: string;
  readonly namespace: string;
  readonly started: string;
}

let own: string | undefined;

/** The mark of this process, a line of text to leave in a file. */
export function ownProcessMark(): string {
  own ??= [
    process.pid,
    hostname() || "-",
    read("/proc/sys/kernel/random/boot_id"),
    pidNamespace(),
    statusOf(process.pid).started,
  ].join(" ");
  return own;
}

/** The number of a marked process for people, with the machine's name where that is another; "unknown" where it is no mark. */
export function markedProcess(mark: string): string {
  const left = parse(mark);
  if (left === undefined) return "unknown";
  return left.host === parse(ownProcessMark())!.host ? String(left.pid) : `${left.pid} on ${left.host}`;
}

/**
 * What has become of the process that left a mark. `unknown` where it cannot be asked: another machine, another namespace, another
 * boot, or a system that does not tell whether a number was used again.
 */
export function askProcess(mark: string): "alive" | "gone" | "unknown" {
  const left = parse(mark);
  const self = parse(ownProcessMark())!;
  if (left === undefined || left.host !== self.host) return "unknown";
  if (left.boot !== self.boot || left.namespace !== self.namespace) return "unknown";
  if (!hasNumber(left.pid)) return "gone";
  const { state, started } = statusOf(left.pid);
  // Killed, and only not waited for by its parent (Z), or about to vanish (X).
  if (state === "Z" || state === "X") return "gone";
  if (left.started !== "-" && started !== "-") return left.started === started ? "alive" : "gone";
  return left.pid === self.pid ? "alive" : "unknown";
}

function parse(mark: string): ProcessMark | undefined {
  const [pid, host, boot = "-", namespace = "-", started = "-"] = mark.trim().split(" ");
  if (host === undefined || !/^[1-9]\d{0,9}$/.test(pid!)) return undefined;
  return { pid: Number(pid), host, boot, namespace, started };
}

function hasNumber(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/**
 * State of a process and the clock ticks between the boot and its start: fields 3 and 22 of `/proc/PID/stat` (proc(5)), counted behind the
 * name in brackets. "-" where they cannot be read, also because others' processes are hidden.
 */
function statusOf(pid: number): { readonly state: string; readonly started: string } {
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] || "-", started: fields[19] ?? "-" };
}

function pidNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "-";
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1").trim();
  } catch {
    return "-";
  }
}
