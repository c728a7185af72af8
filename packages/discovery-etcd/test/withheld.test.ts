import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { expect, test, vi } from "vitest";
import { patience } from "../../discovery-store/test/client.ts";
import { describeEtcd } from "./servers/describe.ts";
import { Scene } from "./site.ts";

const putting = "POST /v3/kv/put";

/** Passes everything to etcd; holds back writes while told to. */
class Withholder implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((client) => this.#lead(client));
  readonly #target: URL;
  isWithholding = true;
  withheld = 0;

  constructor(target: string) {
    this.#target = new URL(target);
  }

  async open(): Promise<string> {
    await once(this.#server.listen(0, "127.0.0.1"), "listening");
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  }

  #lead(client: Socket): void {
    const etcd = connect(Number(this.#target.port), this.#target.hostname);
    for (const [socket, other] of [
      [client, etcd],
      [etcd, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => {}).on("close", () => other.destroy());
    }
    etcd.pipe(client);
    client.on("data", (chunk: Buffer) => {
      if (!this.isWithholding || !chunk.includes(putting)) return void etcd.write(chunk);
      this.withheld += 1;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

describeEtcd("an etcd that takes no value", {}, () => {
  test("is told of, although it answers all else", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    await using between = new Withholder(server.url);
    const endpoints = [await between.open()];
    const watcher = await scene.join({ endpoints });
    const announcing = watcher.discovery.announce({ port: 9_000, info: "late" });
    await vi.waitFor(() => expect(watcher.warnings).toContain("MEDIUM_UNREACHABLE"), patience);
    expect(between.withheld).toBeGreaterThan(0);
    between.isWithholding = false;
    await announcing;
    await vi.waitFor(() => expect(watcher.list).toEqual(["late"]), patience);
  });
});
