import type { HostProcess } from "@lmserv/test-netlab";

interface Node {
  readonly id: string;
  readonly info: string;
  readonly url: string | null;
  readonly trust: string;
}

interface Event {
  readonly type: string;
  readonly node?: Node;
}

/** Nodes of a `discover --watch --json`, by their `info`. */
export class WatchedNodes {
  readonly #seen = new Map<string, Node>();
  readonly #departures: string[] = [];
  readonly #moves: string[] = [];
  readonly #waiting = new Set<() => void>();
  /** Events of all nodes, unwanted ones included. */
  events = 0;

  constructor(watcher: HostProcess, isMeant: (info: string) => boolean) {
    let rest = "";
    watcher.stdout.on("data", (chunk) => {
      const lines = `${rest}${chunk}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#take(JSON.parse(line), isMeant);
      for (const check of this.#waiting) check();
    });
  }

  get departures(): readonly string[] {
    return this.#departures;
  }

  /** Nodes that were told of at another URL than before. */
  get moves(): readonly string[] {
    return this.#moves;
  }

  idOf(info: string): string | undefined {
    return this.#seen.get(info)?.id;
  }

  /** Resolves when all of these are listed, or with those that are missing when the time is over. */
  until(infos: readonly string[], timeoutMs: number): Promise<readonly string[]> {
    return new Promise((resolve) => {
      const missing = (): string[] => infos.filter((info) => !this.#seen.has(info));
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve(missing());
      };
      const check = (): void => {
        if (missing().length === 0) end();
      };
      const timer = setTimeout(end, timeoutMs);
      this.#waiting.add(check);
      check();
    });
  }

  #take({ type, node }: Event, isMeant: (info: string) => boolean): void {
    if (node) this.events += 1;
    if (!node || !isMeant(node.info)) return;
    if (type === "down") {
      this.#departures.push(node.info);
      this.#seen.delete(node.info);
      return;
    }
    const before = this.#seen.get(node.info);
    if (before && before.url !== node.url) this.#moves.push(`${node.info}: ${before.url} -> ${node.url}`);
    this.#seen.set(node.info, node);
  }
}
