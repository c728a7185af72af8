import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { describe, expect, it } from "vitest";
import { testCertificate } from "./certificate.ts";
import { joinAsPlainMember } from "./plain-member.ts";
import { rawConnection } from "./raw-client.ts";
import { serve } from "./servers.ts";
import { keyText, site } from "./site.ts";

const tls = testCertificate("member");

/** Somebody in the middle who reads along: it ends TLS on its own side and speaks on as if it were the dialer. */
async function relay(
  port: number,
  near: "tls" | "plain",
  far: "tls" | "plain",
): Promise<AsyncDisposable & { readonly url: string }> {
  const open = new Set<Duplex>();
  const join = (client: Duplex): void => {
    const target: Duplex =
      far === "tls"
        ? connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false })
        : connect({ host: "127.0.0.1", port });
    for (const socket of [client, target]) {
      open.add(socket);
      socket.on("error", () => {}).on("close", () => (socket === client ? target : client).destroy());
    }
    client.pipe(target).pipe(client);
  };
  const server = near === "tls" ? createTlsServer(testCertificate("relay"), join) : createServer(join);
  const served = await serve(server);
  return {
    url: near === "tls" ? served.url.replace("ws", "wss") : served.url,
    [Symbol.asyncDispose]: () => {
      for (const socket of open) socket.destroy();
      return served[Symbol.asyncDispose]();
    },
  };
}

describe("a link over TLS", () => {
  it("needs no authority: the key proves who is at the other end", async () => {
    const [left, right] = [site(), site()];
    await using door = await left.listen({ tls });
    const link = await right.dial(door.url);
    const { messages } = await left.link();
    link.send('"over TLS"');
    await expect.poll(() => messages).toEqual(['"over TLS"']);
    await link.close("leaving");
  });

  it("checks the certificate when an authority is given", async () => {
    const [left, right] = [site(), site()];
    await using door = await left.listen({ tls });
    const ca = testCertificate("relay").cert;
    await expect(right.dial(door.url, { ca })).rejects.toMatchObject({ reason: "tls" });
    const link = await right.dial(door.url, { ca: tls.cert });
    await link.close("leaving");
  });

  it.each([
    ["ends TLS on both sides with its own certificate", "tls", "tls"],
    ["takes TLS off", "tls", "plain"],
    ["puts TLS on", "plain", "tls"],
  ] as const)("is refused when somebody in between %s", async (_, near, far) => {
    const [left, right] = [site(), site()];
    await using door = await left.listen(far === "tls" ? { tls } : {});
    await using middle = await relay(door.port, near, far);
    await expect(right.dial(middle.url)).rejects.toMatchObject({ reason: "rejected" });
    await left.refused("relayed");
    expect([...left.links, ...right.links]).toEqual([]);
  });

  it("passes through somebody who only carries bytes", async () => {
    const [left, right] = [site(), site()];
    await using door = await left.listen();
    await using middle = await relay(door.port, "plain", "plain");
    const link = await right.dial(middle.url);
    await link.close("leaving");
  });

  it("refuses who speaks without it, and older versions of it", async () => {
    const [left, right] = [site(), site()];
    await using door = await left.listen({ tls });
    await expect(joinAsPlainMember(door.port, { key: keyText })).rejects.toThrow();
    await expect(right.dial(door.url.replace("wss", "ws"))).rejects.toMatchObject({ reason: "not-mesh" });
    const old = connectTls({
      host: "127.0.0.1",
      port: door.port,
      maxVersion: "TLSv1.2",
      rejectUnauthorized: false,
    });
    await expect(once(old, "secureConnect")).rejects.toThrow(/protocol version/);
    await left.refused("tls", 2);
  });

  it("waits for a TLS handshake no longer than for all the rest, on both sides", async () => {
    const [left, right] = [site({}, { admissionMs: 200 }), site({}, { dialMs: 200 })];
    await using door = await left.listen({ tls });
    const silent = await rawConnection(door.port);
    silent.resume();
    await Promise.all([left.refused("slow"), once(silent, "close")]);

    await using mute = await serve(createServer((socket) => socket.resume()));
    await expect(right.dial(mute.url.replace("ws", "wss"))).rejects.toMatchObject({ reason: "slow" });
  });
});
