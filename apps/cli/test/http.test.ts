import { once } from "node:events";
import { connect } from "node:net";
import { completeAnnouncement, systemClock } from "@lmserv/discovery-core";
import { look } from "@lmserv/discovery-identify";
import { seededRandom } from "@lmserv/discovery-testkit";
import { afterEach, beforeEach, expect, it } from "vitest";
import { DocumentServer } from "../src/document-server.ts";
import { listenHttp } from "../src/http.ts";
import { createReporter } from "../src/reporter.ts";
import { Capture } from "./harness.ts";

const address = "127.0.0.1";
const { signal } = new AbortController();

let stderr: Capture;
let servers: DocumentServer[];

beforeEach(() => {
  stderr = new Capture();
  servers = [];
});

afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
});

/** A port that nobody has, as far as anybody can know. */
async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  const probe = createServer().listen(0, address);
  await once(probe, "listening");
  const at = probe.address();
  probe.close();
  await once(probe, "close");
  return typeof at === "object" && at ? at.port : 0;
}

function documentServer(port: number, info: string): DocumentServer {
  const server = new DocumentServer({
    port,
    addresses: () => [address],
    announced: () =>
      completeAnnouncement(
        { port: 8000, info, path: "/chat", server: "lmserv", models: ["a", "b"] },
        seededRandom(1),
      ),
    clock: systemClock,
    listen: listenHttp,
    reporter: createReporter(stderr, { quiet: false, verbose: false }),
  });
  servers.push(server);
  return server;
}

it("is understood by those who look", async () => {
  const port = await freePort();
  await documentServer(port, "gpu-box-01").start();
  expect(await look({ host: address, port, clock: systemClock, signal, patient: true })).toEqual({
    kind: "server",
    identification: {
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      info: "gpu-box-01",
      port: 8000,
      scheme: "http",
      path: "/chat",
      server: "lmserv",
      version: null,
      apis: [],
      models: ["a", "b"],
      auth: null,
      document: true,
    },
  });
});

it("has nothing else to say", async () => {
  const port = await freePort();
  await documentServer(port, "box").start();
  const response = await fetch(`http://${address}:${port}/`);
  expect([response.status, await response.text()]).toEqual([404, ""]);
});

it("is gone when it is stopped, with its connections", async () => {
  const port = await freePort();
  const server = documentServer(port, "box");
  await server.start();
  const socket = connect({ host: address, port }).on("error", () => {});
  await once(socket, "connect");
  const gone = once(socket, "close");
  await server.stop();
  await gone;
  const refused = await look({ host: address, port, clock: systemClock, signal, patient: true });
  expect(refused).toEqual({ kind: "silent", why: "refused" });
});

it("leaves a port to whoever has it", async () => {
  const port = await freePort();
  await documentServer(port, "first").start();
  await documentServer(port, "second").start();
  expect(stderr.lines[1]).toContain(`no document on port ${port} while another program has it`);
  expect(await look({ host: address, port, clock: systemClock, signal, patient: true })).toMatchObject({
    identification: { info: "first" },
  });
});

it("lets nobody keep a connection without a question", async () => {
  const port = await freePort();
  await documentServer(port, "box").start();
  const socket = connect({ host: address, port }).on("error", () => {});
  await once(socket, "connect");
  socket.resume().write("GET / HTTP/1.1\r\nX-Slow: ");
  await once(socket, "close");
});
