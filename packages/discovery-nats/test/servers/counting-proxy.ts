import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** Proxy between the code under test and a server that counts requests, and can cut the two off. */
export class CountingProxy implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  /** Count of chunks with questions; keep-alives do not count. */
  sent = 0;
  attempts = 0;

  static async open(target: string): Promise<CountingProxy> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new CountingProxy(server, Number(new URL(target).port));
  }

  private constructor(server: Server, port: number) {
    const address = server.address();
    this.#server = server;
    this.url = `nats://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
    server.on("connection", (client) => this.#join(client, port));
  }

  /** Blocks all connections, present and new, without closing them. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** Lets new connections through; closes the blocked ones. */
  heal(): void {
    this.#isCut = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #join(client: Socket, port: number): void {
    this.attempts += 1;
    if (this.#isCut) return this.#keep([client]);
    const upstream = connect(port, "127.0.0.1");
    this.#keep([client, upstream]);
    client.on("data", (chunk: Buffer) => {
      if (!/^P[IO]NG\r\n$/.test(chunk.toString("latin1"))) this.sent += 1;
      if (!this.#isCut) upstream.write(chunk);
    });
    upstream.on("data", (chunk: Buffer) => {
      if (!this.#isCut) client.write(chunk);
    });
  }

  #keep(sockets: readonly Socket[]): void {
    for (const socket of sockets) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        for (const other of sockets) other.destroy();
      });
    }
  }
}
