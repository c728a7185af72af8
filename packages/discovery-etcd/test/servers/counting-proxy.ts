import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

interface Counter {
  sent: number;
  attempts: number;
  isCut: boolean;
}

/** Proxy between the code under test and etcd that counts requests. */
export class CountingProxy implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #counter: Counter;

  private constructor(server: Server, sockets: Set<Socket>, counter: Counter) {
    const address = server.address();
    this.#server = server;
    this.#sockets = sockets;
    this.#counter = counter;
    this.url = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  }

  static async open(target: string): Promise<CountingProxy> {
    const { port } = new URL(target);
    const sockets = new Set<Socket>();
    const counter = { sent: 0, attempts: 0, isCut: false };
    const server = createServer((client) => {
      counter.attempts += 1;
      if (counter.isCut) {
        client.destroy();
        return;
      }
      const upstream = connect(Number(port), "127.0.0.1");
      for (const socket of [client, upstream]) {
        sockets.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => {
          sockets.delete(socket);
          for (const other of [client, upstream]) other.destroy();
        });
      }
      client.on("data", () => {
        counter.sent += 1;
      });
      client.pipe(upstream);
      upstream.pipe(client);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new CountingProxy(server, sockets, counter);
  }

  /** Count of open connections to etcd. */
  get connections(): number {
    return this.#sockets.size / 2;
  }

  /** Breaks every connection, as a restart of a load balancer does. */
  breakAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Breaks every connection, and lets no new one through. */
  cut(): void {
    this.#counter.isCut = true;
    this.breakAll();
  }

  restore(): void {
    this.#counter.isCut = false;
  }

  get attempts(): number {
    return this.#counter.attempts;
  }

  get sent(): number {
    return this.#counter.sent;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
