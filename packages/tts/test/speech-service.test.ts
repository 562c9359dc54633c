import { sleepUs, VirtualClock } from "@longwave/base";
import { describe, expect, test } from "vitest";
import { concatenate } from "../src/audio/concatenate.ts";
import type { SpeechEngine, SpeechRequest } from "../src/engine/speech-engine.ts";
import { Tts } from "../src/engine/tts.ts";
import { SpeechService } from "../src/service/speech-service.ts";

/** Speaks one block per 80 ms of virtual time, as many as the text has letters; counts who speaks at once. */
class SlowEngine implements SpeechEngine {
  readonly name = "slow";
  readonly sampleRate = 24_000;
  readonly defaultVoice = "v";
  static speaking = 0;
  static most = 0;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  listVoices() {
    return [{ id: "v", license: "CC0-1.0" }];
  }

  async *speak({ text, signal }: SpeechRequest): AsyncIterable<Float32Array> {
    SlowEngine.most = Math.max(SlowEngine.most, ++SlowEngine.speaking);
    try {
      for (const _ of text) {
        await sleepUs(this.#clock, 80_000, signal);
        yield new Float32Array(1920);
      }
    } finally {
      SlowEngine.speaking--;
    }
  }

  async close() {}
}

function open(options: { workers?: number; maxQueued?: number; requestTimeoutMs?: number } = {}) {
  SlowEngine.most = 0;
  const clock = new VirtualClock();
  const workers = Array.from(
    { length: options.workers ?? 2 },
    () => new Tts({ engines: [new SlowEngine(clock)] }),
  );
  const service = new SpeechService({ ...options, workers, clock });
  /** Lets virtual time pass until a promise settles. */
  const settle = async <T>(promise: Promise<T>): Promise<T> => {
    let done = false;
    const mark = () => {
      done = true;
    };
    promise.then(mark, mark);
    while (!done) {
      for (let i = 0; i < 20; i++) await Promise.resolve();
      clock.runUntil(clock.nowUs() + 10_000);
    }
    return promise;
  };
  return { clock, service, settle };
}

const say = async (service: SpeechService, text: string) => concatenate(await service.speak(text));

describe("a speech service", () => {
  test("50 requests at once are all spoken, never more than the workers at a time", async () => {
    const { service, settle } = open({ maxQueued: 64 });
    const all = await settle(Promise.all(Array.from({ length: 50 }, () => say(service, "abc"))));
    expect(all.every((pcm) => pcm.length === 3 * 1920)).toBe(true);
    expect(SlowEngine.most).toBe(2);
    expect(service.statistics).toMatchObject({
      requests: 50,
      finished: 50,
      errors: 0,
      running: 0,
      queued: 0,
    });
    expect(service.statistics.spokenSeconds).toBeCloseTo(50 * 0.24, 6);
  });

  test("more than the queue holds are refused at once", async () => {
    const { service, settle } = open({ workers: 1, maxQueued: 1 });
    const results = await settle(
      Promise.allSettled([say(service, "a"), say(service, "a"), say(service, "a")]),
    );
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    expect((results[2] as PromiseRejectedResult).reason.code).toBe("tts/queue-full");
  });

  test("a listener that leaves, and one that waits no more, give their places back", async () => {
    const { service, settle } = open({ workers: 1 });
    const long = await settle(service.speak("abcdefghij"));
    const abort = new AbortController();
    const waiting = service.speak("x", { signal: abort.signal });
    abort.abort(new Error("left"));
    await expect(waiting).rejects.toThrow("left");
    await settle(long.cancel());
    expect(service.statistics).toMatchObject({ running: 0, queued: 0, errors: 2 });
    expect((await settle(say(service, "a"))).length).toBe(1920);
  });

  test("the time limit ends a speech and names itself", async () => {
    const { service, settle } = open({ requestTimeoutMs: 200 });
    await expect(settle(say(service, "abcdefghij"))).rejects.toMatchObject({ code: "tts/timeout" });
    expect(service.statistics.running).toBe(0);
  });

  test.each([0, 1, 3])(
    "a listener that takes %i blocks and no more loses its worker in the end",
    async (taken) => {
      const { clock, service, settle } = open({ workers: 1, requestTimeoutMs: 1000 });
      const stalled = (await settle(service.speak("abcdefghij")))[Symbol.asyncIterator]();
      for (let block = 0; block < taken; block++) expect((await settle(stalled.next())).done).toBe(false);
      clock.runUntil(clock.nowUs() + 2_000_000);
      expect((await settle(say(service, "a"))).length).toBe(1920);
      expect(service.statistics).toMatchObject({ running: 0, errors: 1, finished: 1 });
      await expect(stalled.next()).rejects.toMatchObject({ code: "tts/timeout" });
    },
  );

  test("draining lets the running finish, refuses the waiting and the new", async () => {
    const { service, settle } = open({ workers: 1 });
    const running = say(service, "abc");
    const waiting = say(service, "abc");
    waiting.catch(() => {});
    await Promise.resolve();
    const drained = service.drain();
    await expect(service.speak("x")).rejects.toMatchObject({ code: "tts/draining" });
    await expect(waiting).rejects.toMatchObject({ code: "tts/draining" });
    expect((await settle(running)).length).toBe(3 * 1920);
    await settle(drained);
  });

  test("bad requests are errors of their own and cost no place", async () => {
    const { service } = open({ workers: 1 });
    await expect(service.speak(" ")).rejects.toMatchObject({ code: "tts/empty-text" });
    await expect(service.speak("x".repeat(10_000))).rejects.toMatchObject({ code: "tts/text-too-long" });
    await expect(service.speak("x", { voice: "w" })).rejects.toMatchObject({ code: "tts/voice-unknown" });
    expect(service.statistics.running).toBe(0);
  });
});
