import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { createDiscovery } from "@lmserv/discovery-core";
import { expect, test } from "vitest";
import { type EtcdOptions, etcd } from "../src/transport.ts";
import { describeEtcd } from "./servers/describe.ts";
import type { EtcdServer } from "./servers/server.ts";
import { allList, allWarned, Scene } from "./site.ts";

const pathOf = (name: string): string =>
  fileURLToPath(new URL(`certificates/test-only-${name}.pem`, import.meta.url));
const pem = (name: string): string => readFileSync(pathOf(name), "utf8");
const ca = pem("ca.cert");
const tls = { cert: pem("client.cert"), key: pem("client.key") };

/** Starts a server that requires certificates. */
function start(scene: Scene): Promise<EtcdServer> {
  const flags = [
    ...["--cert-file", pathOf("server.cert"), "--key-file", pathOf("server.key")],
    ...["--client-cert-auth", "--trusted-ca-file", pathOf("ca.cert")],
  ];
  return scene.etcd({ scheme: "https", flags, probe });
}

/** Resolves when the server accepts our certificate. */
function probe(url: string): Promise<void> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: Number(port), ca, ...tls }, () => {
      socket.destroy();
      resolve();
    });
    socket.on("error", reject);
  });
}

describeEtcd("etcd with TLS", { concurrent: true }, () => {
  test("knows its clients by their certificates", async () => {
    await using scene = new Scene();
    const server = await start(scene);
    const options = { endpoints: [server.url], ca, tls };
    const clients = [await scene.join(options, "a"), await scene.join(options)];
    await allList(clients, "a");
    await server.kill();
    await allWarned(clients, "MEDIUM_UNREACHABLE");
    await server.start();
    await allList(clients, "a");
  });

  test.each<[string, Omit<EtcdOptions, "endpoints">, string, RegExp]>([
    [
      "of an authority that we do not know",
      { tls },
      "TRANSPORT_UNAVAILABLE",
      /comes from an unknown authority: set ca/,
    ],
    ["that wants to know us", { ca }, "PERMISSION_DENIED", /wants a certificate of ours/],
  ])("%s: that is what is said", async (_, options, code, message) => {
    await using scene = new Scene();
    const server = await start(scene);
    const opening = createDiscovery({ transports: [etcd({ endpoints: [server.url], ...options })] });
    await expect(opening).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test.each([
    ["a server that speaks TLS", "https", "http", "MEDIUM_UNREACHABLE", /if it speaks TLS, use https/],
    ["a server that does not", "http", "https", "TRANSPORT_UNAVAILABLE", /speaks no TLS.*try http/],
  ])("%s, asked with the other scheme: that is what is said", async (_, scheme, asked, code, message) => {
    await using scene = new Scene();
    const server = scheme === "https" ? await start(scene) : await scene.etcd();
    const url = server.url.replace(/^https?/, asked);
    const opening = createDiscovery({ transports: [etcd({ endpoints: [url] })], waitForNetwork: false });
    await expect(opening).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  // Chance decides which of both the kernel makes of a server's close.
  test.each<[string, (socket: Socket) => void]>([
    ["ends", (socket) => socket.end()],
    ["resets", (socket) => socket.resetAndDestroy()],
  ])("a server that %s what begins with a handshake speaks no TLS", async (_, close) => {
    await using server = createServer((socket) => socket.once("data", () => close(socket)));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const opening = createDiscovery({ transports: [etcd({ endpoints: [`https://127.0.0.1:${port}`] })] });
    const message = expect.stringMatching(/speaks no TLS.*try http/);
    await expect(opening).rejects.toMatchObject({ code: "TRANSPORT_UNAVAILABLE", message });
  });
});
