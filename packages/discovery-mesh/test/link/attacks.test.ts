import { once } from "node:events";
import { describe, expect, it } from "vitest";
import type { WebSocket } from "ws";
import type { LinkLimits } from "../../src/link/limits.ts";
import type { LinkEnd } from "../../src/link/link.ts";
import { joinAsPlainMember, type PlainMember } from "./plain-member.ts";
import { frame, opcodes } from "./raw-client.ts";
import { keyText, site, type Watched } from "./site.ts";

// What a member with the key can do to others, by malice or by mistake. The attacker is a plain WebSocket; where
// that is too decent, bytes go to its TCP connection.

interface Scene extends AsyncDisposable {
  readonly victim: Watched;
  readonly attacker: PlainMember;
  /** Sends bytes past the WebSocket. */
  inject(bytes: Buffer): void;
}

async function scene(limits: Partial<LinkLimits> = {}): Promise<Scene> {
  const here = site({}, limits);
  const door = await here.listen();
  const attacker = await joinAsPlainMember(door.port, { key: keyText });
  attacker.socket.on("error", () => {});
  const victim = await here.link();
  return {
    victim,
    attacker,
    inject: (bytes) => tcpOf(attacker.socket).write(bytes),
    async [Symbol.asyncDispose]() {
      attacker.socket.terminate();
      await victim.ended;
      await door[Symbol.asyncDispose]();
    },
  };
}

/** The connection beneath, which the library does not show. */
function tcpOf(socket: WebSocket): NodeJS.WritableStream & { pause(): unknown; resume(): unknown } {
  return Reflect.get(socket, "_socket");
}

const protocol = (detail: RegExp): unknown => ({ kind: "protocol", detail: expect.stringMatching(detail) });

describe("a member that misbehaves", () => {
  it("is understood as long as it does not", async () => {
    await using stage = await scene();
    expect(stage.victim.link.peer).toMatchObject({ id: stage.attacker.id, instance: "plain-member" });
    stage.attacker.socket.send('{"hello":1}');
    await expect.poll(() => stage.victim.messages).toEqual(['{"hello":1}']);
    const heard = once(stage.attacker.socket, "message");
    stage.victim.link.send('{"hello":2}');
    expect(String((await heard)[0])).toBe('{"hello":2}');
  });

  it("may send 64 KiB and not a byte more", async () => {
    await using stage = await scene();
    const most = JSON.stringify("x".repeat(65_534));
    stage.attacker.socket.send(most);
    await expect.poll(() => stage.victim.messages).toEqual([most]);
    const closed = once(stage.attacker.socket, "close");
    stage.attacker.socket.send(`${most} `);
    expect(await stage.victim.ended).toEqual(protocol(/payload size/));
    expect((await closed)[0]).toBe(1_009);
  });

  it("is cut when it only claims a huge frame, before the bytes come", async () => {
    await using stage = await scene();
    stage.inject(frame(opcodes.text, "", { claimed: 2 ** 40 }));
    expect(await stage.victim.ended).toEqual(protocol(/payload size/));
  });

  it("is cut at the 65th fragment, empty ones counted", async () => {
    await using stage = await scene();
    for (let part = 0; part < 64; part += 1) {
      stage.inject(frame(part === 0 ? opcodes.text : opcodes.continuation, "", { fin: false }));
    }
    stage.inject(frame(opcodes.continuation, "", { fin: false }));
    expect(await stage.victim.ended).toEqual(protocol(/fragments/));
  });

  it("is cut when it sends fragments that never end", async () => {
    await using stage = await scene();
    stage.inject(frame(opcodes.text, "[", { fin: false }));
    for (let part = 0; part < 200; part += 1) {
      stage.inject(frame(opcodes.continuation, Buffer.alloc(1_000, 0x20), { fin: false }));
    }
    expect(await stage.victim.ended).toEqual(protocol(/fragments|payload size/));
  });

  it.each([
    ["a binary frame", frame(opcodes.binary, "{}"), /binary/],
    ["a frame that is not UTF-8", frame(opcodes.text, Buffer.from([0xc3, 0x28])), /UTF-8/],
    ["a frame without a mask", Buffer.from([0x81, 0x02, 0x7b, 0x7d]), /MASK/],
    ["a compressed frame", Buffer.from([0xc1, 0x80, 0, 0, 0, 0]), /RSV1/],
  ])("is cut for %s", async (_, bytes, detail) => {
    await using stage = await scene();
    stage.inject(bytes);
    expect(await stage.victim.ended).toEqual(protocol(detail));
    expect(stage.victim.messages).toEqual([]);
  });

  it("is cut for a flood of messages, after the burst that is allowed", async () => {
    await using stage = await scene({ frameBurst: 100, framesPerSecond: 0.001 });
    for (let sent = 0; sent < 5_000; sent += 1) stage.attacker.socket.send("{}");
    expect(await stage.victim.ended).toEqual(protocol(/100 frames at once/));
    expect(stage.victim.messages.length).toBeLessThanOrEqual(101);
  });

  it("is cut sooner when the messages are long", async () => {
    await using stage = await scene({ frameBurst: 100, framesPerSecond: 0.001 });
    const long = JSON.stringify("x".repeat(60_000));
    for (let sent = 0; sent < 20; sent += 1) stage.attacker.socket.send(long);
    expect(await stage.victim.ended).toEqual(protocol(/100 frames at once/));
    expect(stage.victim.messages.length).toBeLessThan(10);
  });

  it("is cut for a flood of pings or pongs", async () => {
    for (const opcode of [opcodes.ping, opcodes.pong]) {
      await using stage = await scene({ frameBurst: 100, framesPerSecond: 0.001, maxPendingPongs: 1_000 });
      const pings = Buffer.concat(Array.from({ length: 1_000 }, () => frame(opcode, "x".repeat(125))));
      stage.inject(pings);
      expect(await stage.victim.ended).toEqual(protocol(/100 frames at once/));
    }
  });

  it("is cut when it pings and takes no pongs", async () => {
    await using stage = await scene({ maxPendingPongs: 4 });
    tcpOf(stage.attacker.socket).pause();
    // In one segment, so that no answer can have left before the next ping.
    stage.inject(Buffer.concat(Array.from({ length: 50 }, () => frame(opcodes.ping, "x"))));
    expect((await stage.victim.ended).kind).toBe("reset");
  });

  it("is given up when it reads nothing, and what waits for it stays within bounds", async () => {
    // A system that buffers a lot hides the rest for long: what waits here is what counts.
    await using stage = await scene({ pingIntervalMs: 60_000 });
    tcpOf(stage.attacker.socket).pause();
    const message = JSON.stringify("x".repeat(60_000));
    let ended: LinkEnd | null = null;
    stage.victim.ended.then((why) => {
      ended = why;
    });
    for (let sent = 0; ended === null && sent < 10_000; sent += 1) {
      stage.victim.link.send(message);
      await new Promise(setImmediate);
    }
    const { kind, detail = "" } = await stage.victim.ended.then((why) => ({ detail: undefined, ...why }));
    expect({ kind, detail }).toEqual({
      kind: "evicted",
      detail: expect.stringMatching(/bytes wait for it, more than 1048576/),
    });
    // One message more than the bound is what shows that it is reached.
    expect(Number.parseInt(detail, 10)).toBeLessThanOrEqual(1_048_576 + message.length);
  });

  it("is given up when it has read nothing for a while, however little waits", async () => {
    await using stage = await scene({
      pingIntervalMs: 60_000,
      stallMs: 200,
      evictBytes: 64e6,
      holdBytes: 32e6,
    });
    tcpOf(stage.attacker.socket).pause();
    const message = JSON.stringify("x".repeat(60_000));
    // More than any socket buffer takes.
    for (let sent = 0; sent < 400; sent += 1) stage.victim.link.send(message, `${sent}`);
    expect(await stage.victim.ended).toEqual({
      kind: "evicted",
      detail: expect.stringMatching(/taken nothing for \d+ ms/),
    });
  });

  it("costs one message for each key while it reads nothing", async () => {
    await using stage = await scene({ pingIntervalMs: 60_000, stallMs: 60_000 });
    tcpOf(stage.attacker.socket).pause();
    const message = JSON.stringify("x".repeat(60_000));
    for (let sent = 0; sent < 5_000; sent += 1) stage.victim.link.send(message, `key ${sent % 5}`);
    await new Promise(setImmediate);
    const answered = once(stage.attacker.socket, "message");
    tcpOf(stage.attacker.socket).resume();
    await answered;
    await stage.victim.link.close("duplicate");
    expect(await stage.victim.ended).toEqual({ kind: "closed", code: "duplicate", remote: false });
  });

  it("may not keep a link open that was closed", async () => {
    await using stage = await scene({ flushMs: 50 });
    tcpOf(stage.attacker.socket).pause();
    await stage.victim.link.close("leaving");
    expect(await stage.victim.ended).toEqual({ kind: "closed", code: "leaving", remote: false });
  });
});
