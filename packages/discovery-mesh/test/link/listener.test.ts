import { once } from "node:events";
import type { Socket } from "node:net";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { generateKey, parseKeys } from "../../src/link/cluster-key.ts";
import { joinAsPlainMember, nextMessage } from "./plain-member.ts";
import { rawConnection, requestUpgrade } from "./raw-client.ts";
import { keyText, site } from "./site.ts";

const status = (head: string): string => head.split("\r\n")[0] ?? "";

describe("a listener", () => {
  it.each([
    ["a browser's Origin", { headers: { Origin: "https://evil.example" } }, "403 Forbidden", "origin"],
    ["an empty Origin", { headers: { Origin: "null" } }, "403 Forbidden", "origin"],
    ["a name for a Host", { headers: { Host: "rebound.evil.example:7946" } }, "403 Forbidden", "host"],
    ["no subprotocol", { headers: { "Sec-WebSocket-Protocol": null } }, "400 Bad Request", "subprotocol"],
    [
      "another subprotocol",
      { headers: { "Sec-WebSocket-Protocol": "chat, v2" } },
      "400 Bad Request",
      "subprotocol",
    ],
    ["another path", { path: "/" }, "404 Not Found", "not-found"],
    ["more than the path", { path: "/lmserv-mesh?token=1" }, "404 Not Found", "not-found"],
    [
      "a request for no upgrade",
      { headers: { Connection: "close", Upgrade: null } },
      "426 Upgrade Required",
      "no-upgrade",
    ],
    ["bytes that are no HTTP", { path: "/ \u0000\u0001" }, "", "malformed"],
  ] as const)("answers %s with a status and nothing else", async (_, request, expected, reason) => {
    const here = site();
    await using door = await here.listen();
    const { head, socket } = await requestUpgrade(door.port, request);
    expect(status(head)).toBe(expected && `HTTP/1.1 ${expected}`);
    expect(head).not.toMatch(/lmserv|home|Server:/i);
    await here.refused(reason);
    socket.destroy();
    expect(here.links).toHaveLength(0);
  });

  it("takes the upgrade of a member", async () => {
    const here = site();
    await using door = await here.listen();
    for (const headers of [
      {},
      { Host: `[::1]:${door.port}` },
      { Host: "localhost" },
      { "Sec-WebSocket-Protocol": "other, lmserv-mesh.1" },
    ]) {
      const { head, socket } = await requestUpgrade(door.port, { headers });
      expect(status(head)).toBe("HTTP/1.1 101 Switching Protocols");
      expect(head).toMatch(/Sec-WebSocket-Protocol: lmserv-mesh\.1/i);
      expect(head).not.toMatch(/Sec-WebSocket-Extensions/i);
      socket.destroy();
    }
  });

  it("offers no compression to who asks for it", async () => {
    const here = site();
    await using door = await here.listen();
    const offer = { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" };
    const { head, socket } = await requestUpgrade(door.port, { headers: offer });
    expect(status(head)).toBe("HTTP/1.1 101 Switching Protocols");
    expect(head).not.toMatch(/permessage-deflate/);
    socket.destroy();
  });

  it.each([
    ["another key", { key: generateKey() }, "wrong-key"],
    ["no key", { key: "" }, "wrong-key"],
    ["another cluster", { key: keyText, cluster: "work" }, "other-cluster"],
  ] as const)("closes without a reason on who has %s", async (_, options, reason) => {
    const here = site();
    await using door = await here.listen();
    await expect(joinAsPlainMember(door.port, options)).rejects.toThrow("closed 1008 ''");
    await here.refused(reason);
    expect(here.links).toHaveLength(0);
  });

  it("refuses a handshake that was recorded", async () => {
    const here = site();
    await using door = await here.listen();
    const member = await joinAsPlainMember(door.port, { key: keyText });
    const replay = new WebSocket(`ws://127.0.0.1:${door.port}/lmserv-mesh`, "lmserv-mesh.1");
    const next = nextMessage(replay);
    await next();
    for (const words of member.sent) replay.send(words);
    await expect(next()).rejects.toThrow("closed 1008 ''");
    await here.refused("wrong-key");
    expect(here.links).toHaveLength(1);
    member.socket.terminate();
  });

  it("lets nobody wait for longer than the handshake may take", async () => {
    const clock = new VirtualClock();
    const here = site({}, { admissionMs: 300 }, { clock });
    await using door = await here.listen();
    const silent = await rawConnection(door.port);
    const halfRequest = await rawConnection(door.port);
    halfRequest.write("GET /lmserv-mesh HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    const dripping = await rawConnection(door.port);
    // Its answer says that those before it were let in.
    const upgraded = await requestUpgrade(door.port);
    const ends = [silent, halfRequest, upgraded.socket, dripping].map((socket) => {
      socket.resume();
      return once(socket, "close");
    });
    // A byte now and then does not help.
    for (let passedMs = 0; passedMs < 300; passedMs += 100) {
      await new Promise((written) => dripping.write("G", written));
      await clock.advance(100);
    }
    await Promise.all(ends);
    await here.refused("slow", 3);
  });

  it("stays open for a member while a thousand strangers wait", async () => {
    const here = site({}, { acceptBurst: 10_000 });
    await using door = await here.listen();
    const strangers: Socket[] = [];
    for (let batch = 0; batch < 20; batch += 1) {
      const more = Array.from({ length: 50 }, async () => {
        const socket = await rawConnection(door.port, "127.0.0.66");
        if (batch > 0) socket.write("GET /lmserv-mesh HTTP/1.1\r\n");
        return socket;
      });
      strangers.push(...(await Promise.all(more)));
    }
    await here.refused("crowded", 1_000 - 64);
    const member = await joinAsPlainMember(door.port, { key: keyText, localAddress: "127.0.0.5" });
    expect(here.links).toHaveLength(1);
    await expect.poll(() => strangers.filter((socket) => !socket.destroyed).length).toBeLessThanOrEqual(64);
    member.socket.terminate();
    for (const socket of strangers) socket.destroy();
  });

  it("takes no more connections from one address than its share, whatever becomes of them", async () => {
    const here = site({}, { acceptBurst: 10, acceptsPerSecond: 0.001 });
    await using door = await here.listen();
    const sockets = await Promise.all(Array.from({ length: 30 }, () => rawConnection(door.port)));
    await here.refused("crowded", 20);
    await expect(joinAsPlainMember(door.port, { key: keyText })).rejects.toThrow();
    const member = await joinAsPlainMember(door.port, { key: keyText, localAddress: "127.0.0.5" });
    for (const socket of [...sockets, member.socket])
      "destroy" in socket ? socket.destroy() : socket.terminate();
  });

  it("does not count members that come often", async () => {
    const here = site({}, { acceptBurst: 2, acceptsPerSecond: 0.001 });
    await using door = await here.listen();
    for (let times = 0; times < 6; times += 1) {
      const { socket } = await joinAsPlainMember(door.port, { key: keyText });
      await here.link(times);
      socket.terminate();
    }
  });

  it("listens on several addresses, or on none", async () => {
    const here = site();
    const addresses = [
      { host: "127.0.0.1", port: 0 },
      { host: "127.0.0.2", port: 0 },
    ];
    await using door = await here.listen({ addresses });
    const taken = [...addresses, { host: "127.0.0.1", port: door.port }];
    await expect(here.listen({ addresses: taken })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  it.each([
    ["without a key to all", "0.0.0.0", { clusterKeys: [] }, "without a cluster key only loopback"],
    ["without a key to a LAN", "192.168.1.5", { clusterKeys: [] }, "without a cluster key only loopback"],
    [
      "without TLS to the internet",
      "203.0.113.5",
      { clusterKeys: parseKeys(keyText) },
      "is a public address",
    ],
    [
      "without TLS to the internet",
      "2001:db8::5",
      { clusterKeys: parseKeys(keyText) },
      "is a public address",
    ],
  ])("is not open %s", async (_, host, changes, message) => {
    const here = site(changes);
    const addresses = [{ host, port: 0 }];
    await expect(here.listen({ addresses })).rejects.toThrow(RangeError);
    await expect(here.listen({ addresses })).rejects.toThrow(message);
  });

  it("links members without a key on loopback", async () => {
    const [left, right] = [site({ clusterKeys: [] }), site({ clusterKeys: [] })];
    await using door = await left.listen();
    const link = await right.dial(door.url);
    await link.close("leaving");
    await expect(right.dial("ws://10.77.0.1:7946")).rejects.toMatchObject({ reason: "exposed" });
  });

  it("hangs up on strangers when it ends, and leaves links alone", async () => {
    const here = site();
    const door = await here.listen();
    const stranger = await rawConnection(door.port);
    const member = await joinAsPlainMember(door.port, { key: keyText });
    const { link, messages } = await here.link();
    stranger.resume();
    const gone = once(stranger, "close");
    await door[Symbol.asyncDispose]();
    await gone;
    await expect(rawConnection(door.port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    member.socket.send("1");
    await expect.poll(() => messages).toEqual(["1"]);
    const closed = link.close("leaving");
    await closed;
  });
});
