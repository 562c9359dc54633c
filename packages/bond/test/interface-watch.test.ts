import { type InterfaceHint, interfaceOf, watchInterfaces } from "@longwave/bond/node";
import { afterEach, expect, test, vi } from "vitest";

afterEach(() => void vi.useRealTimers());

test("the loopback interface is found by its address, an unknown address is not", () => {
  expect(interfaceOf("127.0.0.1")).toMatchObject({ kind: "loopback" });
  expect(interfaceOf("198.51.100.77")).toBeUndefined();
});

test("a link is detached when its address goes or its interface is down, once, and not for being unknown at the start", () => {
  vi.useFakeTimers();
  const hints = new Map<string, InterfaceHint>([
    ["10.0.0.1", { kind: "wired", operState: "up" }],
    ["10.0.0.2", { kind: "cellular" }],
  ]);
  const detached: [string, string][] = [];
  const stop = watchInterfaces(
    { detach: (id, cause) => void detached.push([id, cause]) },
    [
      { id: "dsl", localAddress: "10.0.0.1" },
      { id: "lte", localAddress: "10.0.0.2" },
      { id: "any" },
      { id: "odd", localAddress: "10.0.0.3" },
    ],
    (address) => hints.get(address),
  );
  vi.advanceTimersByTime(1000);
  expect(detached).toEqual([]);
  hints.delete("10.0.0.2");
  hints.set("10.0.0.1", { kind: "wired", operState: "down" });
  vi.advanceTimersByTime(2000);
  expect(detached).toEqual([
    ["dsl", "interface is down"],
    ["lte", "address is gone"],
  ]);
  stop();
});
