import type { Registration, Transport } from "@lmserv/discovery-core/transport";
import { memory } from "@lmserv/discovery-testkit";
import { expect } from "vitest";
import type { SignalName } from "../src/io/interruption.ts";
import { Machine, type Running } from "./harness.ts";

/** Frame that another host of the network hears. */
interface Heard {
  readonly atMs: number;
  readonly kind: string;
  readonly id: string;
  readonly node: Readonly<Record<string, unknown>>;
}

export const loopback = "127.0.0.1";
export const lan = "198.51.100.7";

/** Machine that runs `lmserv announce`, and another host that hears it. */
export class Announcing {
  readonly machine: Machine = new Machine();
  readonly heard: Heard[] = [];
  #running: Running | null = null;

  constructor() {
    this.listen();
  }

  get running(): Running {
    if (!this.#running) throw new TypeError("nothing was started");
    return this.#running;
  }

  /** Takes part in the network as another host. */
  listen(): void {
    this.machine.network.join({
      receive: (frame) => {
        const { kind, id, node } = JSON.parse(new TextDecoder().decode(frame));
        if (kind === "presence" || kind === "goodbye") {
          this.heard.push({ atMs: this.machine.clock.now(), kind, id: id ?? node.id, node });
        }
      },
      failed: () => {},
    });
  }

  /** Announces port 8000, and waits until the present servers were looked at. */
  announce(...argv: string[]): Promise<void> {
    return this.start("--port", "8000", ...argv);
  }

  async start(...argv: string[]): Promise<void> {
    this.#running = this.machine.start("announce", ...argv);
    await this.machine.until(() => this.machine.stderr.text !== "");
    await this.machine.clock.advance(0);
  }

  kinds(): readonly string[] {
    return this.heard.map(({ kind }) => kind);
  }

  /** Last description of each node without a goodbye. */
  known(): ReadonlyMap<string, string> {
    const nodes = new Map<string, string>();
    for (const { id, kind, node } of this.heard) {
      if (kind === "goodbye") nodes.delete(id);
      else nodes.set(id, `${node.info} ${node.server} ${node.port} ${node.path} ${node.models}`);
    }
    return nodes;
  }

  /** Lines on stderr after the first, which names the command's work. */
  news(): readonly string[] {
    return this.machine.stderr.lines.slice(1).map((line) => line.replace(/^lmserv: /, ""));
  }

  async end(name: SignalName, code: number): Promise<void> {
    this.running.signal(name);
    expect(await this.running.ended).toBe(code);
    expect(this.machine.clock.pending).toBe(0);
  }
}

/** Keeps a machine's mDNS in its goodbyes for ever; reports each beginning. */
export function hangAtGoodbye(machine: Machine, onGoodbye: () => void): void {
  const inner = memory({ network: machine.network, name: "mdns" });
  const hang = async (): Promise<Registration> => ({
    async update() {},
    [Symbol.asyncDispose]: () => {
      onGoodbye();
      return new Promise<void>(() => {});
    },
  });
  const stuck: Transport = {
    name: "mdns",
    open: async (context, options) => ({ ...(await inner.open(context, options)), announce: hang }),
  };
  machine.plugins.set("mdns", machine.factory(stuck));
}
