import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { describe, expect, onTestFinished, test } from "vitest";
import type { NetworkInterface } from "../../src/link/interfaces.ts";
import { type MdnsSocket, openSocket } from "../../src/link/socket.ts";

// Real socket on the loopback interface, shared with other programs. Its subnet ends at 127.0.0.1, so that
// all other sources are off its link.

function loopbackAs(index: number): NetworkInterface {
  const addresses = [{ address: "127.0.0.1", family: "IPv4", prefixLength: 32 }] as const;
  return { name: `lan${index}`, kind: "lan", index, loopback: false, addresses };
}

/** Sends a packet for each source while this process is blocked, so that all of them are queued. */
function send(payloads: Readonly<Record<string, string>>): void {
  const program = `
    const { createSocket } = require("node:dgram");
    (async () => {
      for (const [source, payload] of Object.entries(${JSON.stringify(payloads)})) {
        const socket = createSocket({ type: "udp4" });
        await new Promise((bound) => socket.bind(0, source, bound));
        socket.setMulticastInterface("127.0.0.1");
        await new Promise((sent) => socket.send(payload, 5353, "224.0.0.251", sent));
        socket.close();
      }
    })();`;
  const { status, stderr } = spawnSync(process.execPath, ["-e", program], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
}

async function open(): Promise<{ readonly socket: MdnsSocket; readonly heard: string[] }> {
  const heard: string[] = [];
  const socket = await openSocket(loopbackAs(1), "IPv4", {
    packet: (bytes) => heard.push(Buffer.from(bytes).toString()),
    sendFailed: (error) => expect.unreachable(String(error)),
    degraded: (_, error) => expect.unreachable(String(error)),
    died: (error) => expect.unreachable(String(error)),
  });
  onTestFinished(() => socket.close());
  return { socket, heard };
}

describe.skipIf(process.platform !== "linux")("a socket among several interfaces", () => {
  test("does not count what was queued before the others were kept out", async () => {
    const [elsewhere, here] = [randomUUID(), randomUUID()];
    const { socket, heard } = await open();
    send({ "127.0.0.2": elsewhere, "127.0.0.1": here });
    socket.keepOut([loopbackAs(2)]);
    await expect.poll(() => heard).toContain(here);
    expect(heard).not.toContain(elsewhere);
  });

  test("does not count what was queued before one more was kept out", async () => {
    const [first, elsewhere, here] = [randomUUID(), randomUUID(), randomUUID()];
    const { socket, heard } = await open();
    socket.keepOut([]);
    await untilHeard(heard, first);
    send({ "127.0.0.2": elsewhere, "127.0.0.1": here });
    socket.keepOut([loopbackAs(2)]);
    await expect.poll(() => heard).toContain(here);
    expect(heard).not.toContain(elsewhere);
  });

  test("hears hosts of foreign subnets on its own link", async () => {
    const { socket, heard } = await open();
    socket.keepOut([]);
    await untilHeard(heard, randomUUID());
  });
});

/** Sends from a foreign subnet until a packet is heard, which is once no old packet is queued. */
async function untilHeard(heard: readonly string[], payload: string): Promise<void> {
  await expect
    .poll(() => {
      send({ "127.0.0.2": payload });
      return heard;
    })
    .toContain(payload);
}
