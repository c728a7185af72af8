import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { hostname } from "node:os";
import { completeAnnouncement, systemClock } from "@lmserv/discovery-core/transport";
import { fingerprint } from "@lmserv/discovery-fingerprint";
import { seededRandom } from "@lmserv/discovery-testkit";
import { afterEach, beforeEach, expect, it } from "vitest";
import { freePort } from "../../../../packages/discovery-store/test/free-port.ts";
import { DocumentServer } from "../../src/announce/document-server.ts";
import { type Listen, listenHttp } from "../../src/io/http.ts";
import { createReporter } from "../../src/output/reporter.ts";
import { Capture } from "../harness.ts";

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

function documentServer(port: number, info: string, listen: Listen = listenHttp): DocumentServer {
  const server = new DocumentServer({
    port,
    addresses: () => [address],
    announced: () => [
      completeAnnouncement(
        { port: 8000, info, path: "/chat", server: "lmserv", models: ["a", "b"] },
        seededRandom(1),
      ),
      { port: 8443, id: "other", scheme: "https" },
    ],
    clock: systemClock,
    listen,
    reporter: createReporter(stderr, { quiet: false, verbose: false }),
  });
  servers.push(server);
  return server;
}

it("is understood by searchers", async () => {
  const port = await freePort();
  await documentServer(port, "gpu-box-01").start();
  expect(await fingerprint({ host: address, port, clock: systemClock, signal, patient: true })).toEqual({
    kind: "document",
    role: null,
    others: [
      {
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
        info: "gpu-box-01",
        port: 8000,
        scheme: "http",
        path: "/chat",
        server: "lmserv",
        version: null,
        apis: [],
        models: ["a", "b"],
        modelsCut: false,
        auth: null,
        document: true,
      },
      expect.objectContaining({ id: "other", port: 8443, scheme: "https", models: [] }),
    ],
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
  const refused = await fingerprint({ host: address, port, clock: systemClock, signal, patient: true });
  expect(refused).toEqual({ kind: "silent", why: "refused" });
});

it("leaves a port to whoever has it", async () => {
  const port = await freePort();
  await documentServer(port, "first").start();
  await documentServer(port, "second").start();
  expect(stderr.lines[1]).toContain(`no document on port ${port} while another program has it`);
  expect(await fingerprint({ host: address, port, clock: systemClock, signal, patient: true })).toMatchObject(
    {
      others: [{ info: "first" }, { id: "other" }],
    },
  );
});

/** Sends raw bytes; resolves with the whole answer once the server hangs up. */
async function send(port: number, request: string): Promise<string> {
  const socket = connect({ host: address, port }).setEncoding("utf8");
  let answer = "";
  socket.on("data", (chunk) => (answer += chunk));
  socket.write(request);
  await once(socket, "close");
  return answer;
}

const target = "/.well-known/lmserv.json";

it.each([
  ["an address", "127.0.0.1:8741", 200],
  ["an IPv6 address", "[::1]", 200],
  ["localhost", "localhost:8741", 200],
  ["this machine", hostname(), 200],
  ["this machine over mDNS", `${hostname().split(".")[0]}.local.`, 200],
  ["a name that others point here", "rebound.example", 421],
  ["a name that ends like ours", `${hostname()}.example`, 421],
  ["an address that others write as a name", "127.0.0.1.nip.io", 421],
  ["nobody", "", 400],
  ["two hosts", "127.0.0.1\r\nHost: rebound.example", 400],
])("answers who asks %s, unless its name may be another's: %j %i", async (_, host, status) => {
  const port = await freePort();
  await documentServer(port, "box").start();
  const answer = await send(port, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answer.includes("schemaVersion")).toBe(status === 200);
});

it.each([
  [`POST ${target}`, "Content-Length: 1000000000", 405],
  ["DELETE /", "Content-Length: 0", 405],
  [`GET ${target}`, "Content-Length: 1000000000", 413],
  [`GET ${target}`, "Transfer-Encoding: chunked", 413],
])("takes no more of %s with %s than its head", async (line, header, status) => {
  const port = await freePort();
  await documentServer(port, "box").start();
  const answer = await send(port, `${line} HTTP/1.1\r\nHost: ${address}\r\n${header}\r\n\r\n`);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
});

it("ends a connection after sixteen questions", async () => {
  const port = await freePort();
  await documentServer(port, "box").start();
  const question = `HEAD ${target} HTTP/1.1\r\nHost: ${address}\r\n\r\n`;
  const answer = await send(port, question.repeat(20));
  expect(answer.match(/^HTTP\/1\.1 200 /gm)).toHaveLength(16);
});

it("has eight places for an address, and answers others beside 200 questions that are half sent", async () => {
  const port = await freePort();
  const patient = { headersTimeout: 0, requestTimeout: 0 };
  const listen: Listen = (handle, endpoint) => listenHttp(handle, endpoint, patient);
  await documentServer(port, "box", listen).start();
  const open = new Set<Socket>();
  await new Promise<void>((resolve) => {
    for (let count = 0; count < 200; count += 1) {
      const socket = connect({ host: address, port, localAddress: "127.0.0.2" }).on("error", () => {});
      open.add(socket);
      socket.resume().write("GET / HTTP/1.1\r\nX-Slow: ");
      socket.once("close", () => {
        open.delete(socket);
        if (open.size === 8) resolve();
      });
    }
  });
  expect(await fingerprint({ host: address, port, clock: systemClock, signal, patient: true })).toMatchObject(
    {
      others: [{ info: "box" }, { id: "other" }],
    },
  );
  for (const socket of open) socket.destroy();
});

it("lets nobody keep a connection without a question", async () => {
  const port = await freePort();
  await documentServer(port, "box").start();
  const socket = connect({ host: address, port }).on("error", () => {});
  await once(socket, "connect");
  socket.resume().write("GET / HTTP/1.1\r\nX-Slow: ");
  await once(socket, "close");
});
