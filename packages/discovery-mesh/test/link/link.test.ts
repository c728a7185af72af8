import { describe, expect, it } from "vitest";
import { processBetween, swallowingProxy } from "./proxy.ts";
import { linked, site } from "./site.ts";

describe("a link", () => {
  it("carries messages both ways and knows who is at the other end", async () => {
    await using pair = await linked();
    const { listener, dialer } = pair;
    listener.link.send('{"from":"listener"}');
    dialer.link.send('{"from":"dialer","ü":"€"}');
    await expect.poll(() => dialer.messages).toEqual(['{"from":"listener"}']);
    await expect.poll(() => listener.messages).toEqual(['{"from":"dialer","ü":"€"}']);
    expect(dialer.link).toMatchObject({
      dialed: true,
      remoteAddress: "127.0.0.1",
      observedAddress: "127.0.0.1",
    });
    expect(listener.link).toMatchObject({ dialed: false, url: null, observedAddress: "127.0.0.1" });
    expect(listener.link.peer.id).not.toBe(dialer.link.peer.id);
  });

  it("misses nothing that is sent in the turn in which it comes to be", async () => {
    const left = site();
    const right = site();
    const eager = {
      ...left.host,
      handler: (link: Parameters<typeof left.host.handler>[0]) => {
        for (let sent = 0; sent < 100; sent += 1) link.send(`${sent}`);
        return left.host.handler(link);
      },
    };
    await using door = await left.listen({ host: eager });
    await right.dial(door.url);
    const { link, messages } = await right.link();
    await expect.poll(() => messages).toHaveLength(100);
    expect(messages).toEqual(Array.from({ length: 100 }, (_, sent) => `${sent}`));
    await link.close("duplicate");
  });

  it.each(["leaving", "duplicate", "superseded", "conflict", "full", "protocol"] as const)(
    "tells the other side that it ends for being %s",
    async (code) => {
      await using pair = await linked();
      await pair.dialer.link.close(code);
      expect(await pair.dialer.ended).toEqual({ kind: "closed", code, remote: false });
      expect(await pair.listener.ended).toEqual({ kind: "closed", code, remote: true });
    },
  );

  it("delivers what is queued when it leaves, and takes nothing more", async () => {
    await using pair = await linked({ frameBurst: 10_000 });
    const message = JSON.stringify("x".repeat(10_000));
    for (let sent = 0; sent < 60; sent += 1) pair.dialer.link.send(message);
    const closed = pair.dialer.link.close("leaving");
    pair.dialer.link.send('"too late"');
    await closed;
    await pair.listener.ended;
    expect(pair.listener.messages).toHaveLength(60);
  });
});

describe("a peer that is gone", () => {
  const quick = { pingIntervalMs: 40, pongMs: 60 };

  it("is noticed when something on the way swallows everything", async () => {
    const left = site({}, quick);
    const right = site({}, { pingIntervalMs: 600_000 });
    await using door = await left.listen();
    await using proxy = await swallowingProxy(door.port);
    const link = await right.dial(proxy.url);
    proxy.swallow();
    expect(await (await left.link()).ended).toEqual({ kind: "silent", detail: expect.any(String) });
    await link.close("duplicate");
  });

  it("is noticed when its connection is half open", async () => {
    // The proxy forgets the victim's side without a word to the other.
    const left = site({}, { pingIntervalMs: 600_000 });
    const right = site({}, quick);
    await using door = await left.listen();
    await using proxy = await swallowingProxy(door.port);
    await right.dial(proxy.url);
    proxy.forgetTarget();
    expect(await (await left.link()).ended).toEqual({ kind: "reset" });
    expect((await (await right.link()).ended).kind).toBe("silent");
  });

  it.each([
    ["stopped", "SIGSTOP", "silent"],
    ["killed", "SIGKILL", "reset"],
  ] as const)("is noticed when its process is %s", async (_, signal, kind) => {
    const left = site({}, { ...quick, pongMs: 500 });
    const right = site({}, { pingIntervalMs: 600_000 });
    await using door = await left.listen();
    await using between = await processBetween(door.port);
    await right.dial(between.url);
    const { ended } = await left.link();
    between.kill(signal);
    expect((await ended).kind).toBe(kind);
  });
});
