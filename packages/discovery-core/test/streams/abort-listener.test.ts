import { getEventListeners, once } from "node:events";
import { beforeEach, describe, expect, it } from "vitest";
import { linkedAbort, onAbort, sleep, systemClock } from "../../src/authors.ts";

let ending: AbortController;
let heard: string[];

beforeEach(() => {
  ending = new AbortController();
  heard = [];
});

function listen(name: string): () => void {
  return onAbort(ending.signal, () => heard.push(name));
}

function listeners(): number {
  return getEventListeners(ending.signal, "abort").length;
}

describe("onAbort", () => {
  it("calls every listener back once, in order", () => {
    for (const name of ["a", "b", "c"]) listen(name);
    ending.abort();
    ending.abort();
    expect(heard).toEqual(["a", "b", "c"]);
    expect(listeners()).toBe(0);
  });

  it("never calls one back that was ended, not even by another", () => {
    listen("a")();
    const endings: (() => void)[] = [];
    onAbort(ending.signal, () => endings[0]?.());
    endings.push(listen("b"));
    ending.abort();
    expect(heard).toEqual([]);
  });

  it("never calls back for what was aborted before", () => {
    ending.abort();
    listen("late")();
    onAbort(AbortSignal.abort(), () => heard.push("never"));
    expect(heard).toEqual([]);
  });

  it("costs the signal one listener, however many there are, and none when all have ended", () => {
    const endings = Array.from({ length: 1_000 }, (_, index) => listen(String(index)));
    expect(listeners()).toBe(1);
    for (const end of endings.slice(1)) end();
    expect(listeners()).toBe(1);
    for (const end of endings) end();
    expect(listeners()).toBe(0);
    listen("again");
    for (const end of endings) end();
    ending.abort();
    expect(heard).toEqual(["again"]);
  });

  it("tells apart two listeners that are one function", () => {
    const listener = (): void => void heard.push("same");
    const end = onAbort(ending.signal, listener);
    onAbort(ending.signal, listener);
    end();
    end();
    ending.abort();
    expect(heard).toEqual(["same"]);
  });

  it("calls the others back when one throws, and throws that where nothing catches it", async () => {
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const uncaught = once(process, "uncaughtException");
    onAbort(ending.signal, () => {
      throw new Error("broken");
    });
    listen("after");
    ending.abort();
    expect(heard).toEqual(["after"]);
    expect(await uncaught).toMatchObject([{ message: "broken" }, "uncaughtException"]);
    for (const other of others) process.on("uncaughtException", other);
  });

  it("makes Node warn of nothing", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on("warning", note);
    const sleeps = Array.from({ length: 40 }, () => sleep(systemClock, 60_000, ending.signal));
    // Node warns in the next turn.
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", note);
    ending.abort();
    const outcomes = await Promise.allSettled(sleeps);
    expect(outcomes.every(({ status }) => status === "rejected")).toBe(true);
    expect(warnings).toEqual([]);
  });
});

describe("linkedAbort", () => {
  it("aborts with the first of several signals, and with its reason", () => {
    const other = new AbortController();
    const linked = linkedAbort(other.signal, ending.signal);
    ending.abort(new Error("first"));
    other.abort(new Error("second"));
    expect(linked.signal.reason).toEqual(new Error("first"));
    expect(linkedAbort(ending.signal, other.signal).signal.reason).toEqual(new Error("first"));
  });

  it("lets go of all of them once it is aborted, by whichever", () => {
    const other = new AbortController();
    const heldBy = (): number => getEventListeners(other.signal, "abort").length;
    linkedAbort(other.signal, ending.signal).abort();
    expect([listeners(), heldBy()]).toEqual([0, 0]);
    const linked = linkedAbort(other.signal, ending.signal);
    expect([listeners(), heldBy()]).toEqual([1, 1]);
    ending.abort();
    expect(linked.signal.aborted).toBe(true);
    expect([listeners(), heldBy()]).toEqual([0, 0]);
    linkedAbort(other.signal, ending.signal);
    expect(heldBy()).toBe(0);
  });
});
