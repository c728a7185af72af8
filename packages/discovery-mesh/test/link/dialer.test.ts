import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { generateKey, parseKeys } from "../../src/link/cluster-key.ts";
import { fullServer, serve } from "./servers.ts";
import { site } from "./site.ts";

describe("a dialer", () => {
  it.each([
    "http://127.0.0.1:1",
    "127.0.0.1:1",
    "ws://user:secret@127.0.0.1:1",
    "ws://127.0.0.1:1/path",
    "ws://127.0.0.1:1?query",
    "ws://127.0.0.1:0",
    `ws://${"a".repeat(300)}`,
  ])("does not dial %s", async (url) => {
    await expect(site().dial(url)).rejects.toThrow(RangeError);
  });

  it("tells that nobody listens from that nobody answers", async () => {
    const server = await serve(createServer());
    await server[Symbol.asyncDispose]();
    await expect(site().dial(server.url)).rejects.toMatchObject({ reason: "no-listener" });
    const lookup = async (): Promise<string[]> => {
      throw new Error("getaddrinfo ENOTFOUND");
    };
    await expect(site().dial("ws://nowhere.invalid", { lookup })).rejects.toMatchObject({
      reason: "unreachable",
      message: expect.stringContaining("ENOTFOUND"),
    });
  });

  it("follows no redirect, and knows what is no mesh", async () => {
    const here = site();
    await using door = await here.listen();
    const redirecting = createHttpServer((_, response) =>
      response.writeHead(302, { Location: door.url }).end(),
    );
    redirecting.on("upgrade", (_, socket) =>
      socket.end(`HTTP/1.1 302 Found\r\nLocation: ${door.url}\r\n\r\n`),
    );
    await using elsewhere = await serve(redirecting);
    await expect(site().dial(elsewhere.url)).rejects.toMatchObject({ reason: "not-mesh" });

    const other = createHttpServer();
    const chat = new WebSocketServer({ server: other, handleProtocols: () => false });
    await using chatServer = await serve(other);
    await expect(site().dial(chatServer.url)).rejects.toMatchObject({ reason: "not-mesh" });
    chat.close();
    expect(here.links).toEqual([]);
  });

  it("gives up on one that takes the connection and says nothing", async () => {
    await using mute = await serve(createServer((socket) => socket.resume()));
    const here = site({}, { admissionMs: 100 });
    await expect(here.dial(mute.url)).rejects.toMatchObject({ reason: "slow" });
  });

  it("gives up on a handshake that does not go on", async () => {
    const http = createHttpServer();
    const stalled = new WebSocketServer({ server: http, handleProtocols: () => "lmserv-mesh.1" });
    await using server = await serve(http);
    const here = site({}, { admissionMs: 200 });
    await expect(here.dial(server.url)).rejects.toMatchObject({ reason: "slow" });
    stalled.close();
  });

  it("shows its proof and nothing more to a listener without the key", async () => {
    const http = createHttpServer();
    const impostor = new WebSocketServer({ server: http, handleProtocols: () => "lmserv-mesh.1" });
    const heard: string[] = [];
    impostor.on("connection", (socket) => {
      socket.on("message", (data) => {
        heard.push(String(data));
        // Sends the proof back, which is all that it has.
        const { proof } = JSON.parse(String(data));
        socket.send(JSON.stringify({ introduction: "{}", proof, signature: "" }));
      });
      socket.send(JSON.stringify({ nonce: "n".repeat(43) }));
    });
    await using server = await serve(http);
    const here = site();
    await expect(here.dial(server.url)).rejects.toMatchObject({ reason: "wrong-key" });
    expect(heard).toHaveLength(1);
    expect(Object.keys(JSON.parse(heard[0] ?? ""))).toEqual(["nonce", "proof"]);
    impostor.close();
  });

  it("is told by a neutral close that it is not wanted", async () => {
    const [left, right] = [site(), site({ clusterKeys: parseKeys(generateKey()) })];
    await using door = await left.listen();
    await expect(right.dial(door.url)).rejects.toMatchObject({ reason: "rejected" });
    await left.refused("wrong-key");
  });

  it("notices that it dialled itself", async () => {
    const here = site();
    await using door = await here.listen();
    await expect(here.dial(door.url)).rejects.toMatchObject({ reason: "self" });
    expect(here.links).toEqual([]);
  });

  it("takes the address that answers, however many do not", async () => {
    const [left, right] = [site(), site({}, { dialMs: 5_000 })];
    await using door = await left.listen({ addresses: [{ host: "127.0.0.9", port: 0 }] });
    // A full backlog: the system neither takes nor refuses further connections.
    await using full = await fullServer(door.port);
    const lookup = async (): Promise<string[]> => [full.host, full.host, "127.0.0.8", "127.0.0.9"];
    const link = await right.dial(`ws://members.example:${door.port}`, { lookup });
    expect(link).toMatchObject({ remoteAddress: "127.0.0.9", url: `ws://members.example:${door.port}` });
    await link.close("leaving");
  });

  it("waits no longer for many addresses than for one", async () => {
    const clock = new VirtualClock();
    const here = site({}, { dialMs: 400 }, { clock });
    await using full = await fullServer(0);
    const lookup = async (): Promise<string[]> => Array.from({ length: 8 }, () => full.host);
    let outcome: unknown = "none yet";
    here.dial(`ws://members.example:${full.port}`, { lookup }).catch((error) => {
      outcome = error;
    });
    await clock.advance(399);
    expect(outcome).toBe("none yet");
    await clock.advance(1);
    expect(outcome).toMatchObject({ reason: "slow" });
  });

  it("dials public addresses only with TLS, unless it is forced to", async () => {
    const lookup = async (): Promise<string[]> => ["203.0.113.7", "2001:db8::7"];
    await expect(site().dial("ws://members.example:7946", { lookup })).rejects.toMatchObject({
      reason: "exposed",
      message: expect.stringContaining("203.0.113.7:7946 is a public address"),
    });
  });

  it.each(["ws://127.0.0.1:7946", "ws://10.0.0.1:7946", "ws://members.example:7946"])(
    "does not look for %s where only TLS will do",
    async (url) => {
      const lookup = (): never => {
        throw new Error("nobody is to be looked up");
      };
      await expect(site().dial(url, { lookup, plain: "nowhere" })).rejects.toMatchObject({
        reason: "exposed",
        message: expect.stringContaining("tlsOnly allows nothing else"),
      });
    },
  );

  it("can be aborted at every stage, with the reason that was given", async () => {
    await using full = await fullServer(0);
    await using mute = await serve(createServer((socket) => socket.resume()));
    const http = createHttpServer();
    const stalled = new WebSocketServer({ server: http, handleProtocols: () => "lmserv-mesh.1" });
    await using server = await serve(http);
    const never = (): Promise<string[]> => new Promise(() => {});
    const stages = [
      ["ws://members.example", { lookup: never }],
      [`ws://${full.host}:${full.port}`, {}],
      [mute.url, {}],
      [mute.url.replace("ws", "wss"), {}],
      [server.url, {}],
    ] as const;
    for (const [url, options] of stages) {
      const controller = new AbortController();
      const reason = new Error("no longer wanted");
      const dialing = site().dial(url, { ...options, signal: controller.signal });
      setTimeout(() => controller.abort(reason), 50);
      await expect(dialing).rejects.toBe(reason);
    }
    await expect(site().dial(server.url, { signal: AbortSignal.abort("before") })).rejects.toBe("before");
    stalled.close();
  });

  it("does not end a link with the signal that it was dialled with", async () => {
    const [left, right] = [site(), site()];
    await using door = await left.listen();
    const controller = new AbortController();
    const link = await right.dial(door.url, { signal: controller.signal });
    controller.abort();
    link.send("1");
    const { messages } = await left.link();
    await expect.poll(() => messages).toEqual(["1"]);
    await link.close("leaving");
  });
});
