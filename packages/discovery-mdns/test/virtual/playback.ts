import { setImmediate as turn } from "node:timers/promises";
import type { VirtualClock } from "@lmserv/discovery-testkit";

/** Longer than any wait of a test, in ms of virtual time: 10 minutes. */
export const patienceMs = 600_000;

interface Wait {
  readonly isDone: () => boolean;
  readonly endMs: number;
  readonly resolve: (isDone: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** Advances a virtual clock while there is a pending wait, or several. */
export class Playback {
  readonly #clock: VirtualClock;
  readonly #waits = new Set<Wait>();
  #isRunning = false;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  nowMs(): number {
    return this.#clock.now();
  }

  /** Resolves with true as soon as `isDone` returns true, or with false `maxMs` later. */
  wait(isDone: () => boolean, maxMs: number = patienceMs): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waits.add({ isDone, endMs: this.nowMs() + maxMs, resolve, reject });
      this.#run();
    });
  }

  async until(atMs: number): Promise<void> {
    await this.wait(() => false, Math.max(0, atMs - this.nowMs()));
  }

  async settled<T>(promise: PromiseLike<T>, about: string): Promise<T> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    promise.then(settle, settle);
    if (!(await this.wait(() => isSettled))) throw new Error(`${about}: nothing within ${patienceMs} ms`);
    return promise;
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      while (this.#waits.size > 0) await this.#advance();
    } catch (error) {
      for (const { reject } of this.#waits) reject(error);
      this.#waits.clear();
    } finally {
      this.#isRunning = false;
    }
  }

  async #advance(): Promise<void> {
    const endMs = Math.min(...[...this.#waits].map((wait) => wait.endMs));
    const isAnyDone = (): boolean => [...this.#waits].some(({ isDone }) => isDone());
    await this.#clock.advanceUntil(isAnyDone, endMs - this.nowMs());
    for (const wait of [...this.#waits]) {
      const isDone = wait.isDone();
      if (!isDone && this.nowMs() < wait.endMs) continue;
      this.#waits.delete(wait);
      wait.resolve(isDone);
    }
    // The test goes on before time does.
    await turn();
  }
}
