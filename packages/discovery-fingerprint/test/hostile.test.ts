import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { describe, expect, it } from "vitest";
import { type Fingerprint, fingerprint } from "../src/index.ts";
import { text } from "./fixtures/recording.ts";
import { host, type Loopback, leisurelyClock, replay, serveFull, serveHttp, serveTcp } from "./loopback.ts";

const { signal } = new AbortController();
const other: Fingerprint = { kind: "other", is: "http" };
const foreign: Fingerprint = { kind: "other", is: "foreign" };
const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
/** More than the kernel's buffers on loopback, on both sides, and far less than the offer. */
const maxTakenBytes = 20_000_000;

function ask({ port }: Loopback, patient = false): Promise<Fingerprint> {
  return fingerprint({ host, port, clock: leisurelyClock, signal, patient });
}

/** Answers each request with these bytes, on any connection. */
function answerWith(bytes: string | Buffer, then: (socket: Socket) => void = () => {}): Promise<Loopback> {
  return serveTcp((socket) => {
    socket.on("data", () => {
      socket.write(bytes);
      then(socket);
    });
  });
}

/** Writes the same chunk while it is accepted; returns the count of accepted bytes. */
async function answerForever(start: string, chunk: string): Promise<Loopback & { taken: () => number }> {
  let taken = 0;
  const pump = (socket: Socket): void => {
    while (!socket.destroyed && socket.writableLength === 0) {
      taken += chunk.length;
      if (!socket.write(chunk)) break;
    }
  };
  const server = await serveTcp((socket) => {
    socket.on("drain", () => pump(socket));
    socket.once("data", () => {
      socket.write(start);
      pump(socket);
    });
  });
  return { ...server, taken: () => taken };
}

async function closed({ open }: Loopback): Promise<void> {
  await expect.poll(open).toBe(0);
}

describe("a server that has no end", () => {
  const block = "x".repeat(65_536);

  it.each([
    ["body", `${head}Connection: close\r\n\r\n`, block],
    ["chunked body", `${head}Transfer-Encoding: chunked\r\n\r\n`, `10000\r\n${block}\r\n`],
    ["body of one-byte chunks", `${head}Transfer-Encoding: chunked\r\n\r\n`, "1\r\nx\r\n".repeat(10_000)],
    ["chunk extension", `${head}Transfer-Encoding: chunked\r\n\r\n1;`, block],
    ["header", `${head}X-Long: `, block],
    ["list of headers", head, "X-More: yes\r\n".repeat(5_000)],
    ["trailer", `${head}Transfer-Encoding: chunked\r\n\r\n0\r\n`, "X-More: yes\r\n".repeat(5_000)],
    ["status line", "HTTP/1.1 200 ", block],
    ["row of interim responses", "", "HTTP/1.1 102 Processing\r\n\r\n".repeat(1_000)],
  ])("is none: %s", async (_, start, chunk) => {
    const server = await answerForever(start, chunk);
    // A busy machine may slow either side; the bound on bytes must end this.
    expect(await ask(server, true)).toMatchObject({ kind: "other" });
    await closed(server);
    expect(server.taken()).toBeLessThan(4 * maxTakenBytes);
    expect(server.connections()).toBeLessThanOrEqual(4);
  });
});

describe("a server that does not speak HTTP", () => {
  it.each([
    ["HTTP/0.9", "<html>hello</html>"],
    ["SSH", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"],
    ["TLS", Buffer.from([21, 3, 3, 0, 2, 2, 70])],
    ["zeros", Buffer.alloc(1_000)],
    ["a negative length", `${head}Content-Length: -5\r\n\r\nhello`],
    ["two lengths", `${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`],
    ["a length and chunks", `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    [
      "a switch of protocols",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
    ],
  ])("is none: %s", async (_, bytes) => {
    const server = await answerWith(bytes, (socket) => socket.end());
    expect(await ask(server)).toEqual(foreign);
    await closed(server);
  });
});

describe("a server that hides its text", () => {
  const greeting = "Ollama is running";
  const typed = (type: string, body: string | Buffer, headers = {}): Promise<Loopback> =>
    serveHttp((_, response) => response.writeHead(200, { "content-type": type, ...headers }).end(body));

  it.each([
    ["in Latin-1", "text/plain; charset=iso-8859-1", greeting],
    ["in UTF-16", "text/plain; charset=utf-16le", Buffer.from(greeting, "utf16le")],
    ["in a character set that is none", 'text/plain; charset="\u{00ff}"', greeting],
    ["in broken UTF-8", "text/plain", Buffer.concat([Buffer.from("LMServ is running"), Buffer.from([0xc3])])],
  ])("is none: %s", async (_, type, body) => {
    expect(await ask(await typed(type, body))).toEqual(other);
  });

  it.each(["gzip", "br", "identity, gzip", "x-unheard-of"])("is none: compressed as %s", async (coding) => {
    const bomb = gzipSync(Buffer.alloc(20_000_000, greeting));
    const server = await typed("text/plain", bomb, { "content-encoding": coding });
    expect(await ask(server)).toEqual(other);
    expect(server.requests[0]?.headers["accept-encoding"]).toBe("identity");
    expect(await ask(await typed("text/plain", greeting, { "content-encoding": coding }))).toEqual(other);
  });

  it("is believed where it says what is usual anyway", async () => {
    const server = await typed("text/plain;Charset=UTF-8", greeting, { "content-encoding": "identity" });
    expect(await ask(server)).toMatchObject({ kind: "server", identification: { server: "ollama" } });
  });
});

describe("a server that takes its time", () => {
  it.each([
    ["says nothing", () => {}],
    ["stops in the middle of the header", (socket: Socket) => socket.write(head)],
    [
      "stops in the middle of the body",
      (socket: Socket) => socket.write(`${head}Content-Length: 9\r\n\r\n{`),
    ],
    [
      "drips",
      (socket: Socket) => {
        socket.write(`${head}Content-Length: 60000\r\n\r\n`);
        const timer = setInterval(() => socket.write(" "), 1);
        socket.on("close", () => clearInterval(timer));
      },
    ],
  ])("times out after 1.5 s: it %s", async (_, react) => {
    const clock = new VirtualClock();
    let received = 0;
    const server = await serveTcp((socket) =>
      socket.once("data", () => {
        received += 1;
        react(socket);
      }),
    );
    const result = fingerprint({ host, port: server.port, clock, signal });
    await expect.poll(() => received).toBe(1);
    let settled = false;
    const settling = result.then(() => (settled = true));
    await clock.advance(1_499);
    expect(settled).toBe(false);
    await clock.advance(1);
    await settling;
    expect(await result).toEqual({ kind: "silent", why: "no-answer" });
    expect(clock.pending).toBe(0);
    await closed(server);
  });

  it("gets 4 s when one is patient", async () => {
    const clock = new VirtualClock();
    const server = await serveHttp(() => {});
    const result = fingerprint({ host, port: server.port, clock, signal, patient: true });
    await expect.poll(() => server.requests.length).toBe(1);
    let settled = false;
    const settling = result.then(() => (settled = true));
    await clock.advance(3_999);
    expect(settled).toBe(false);
    await clock.advance(1);
    await settling;
    expect(await result).toEqual({ kind: "silent", why: "no-answer" });
  });

  it("has 1.5 s for all questions together", async () => {
    const clock = new VirtualClock();
    const server = await serveHttp((_, response) => {
      clock.advance(600).then(() => response.writeHead(404).end());
    });
    expect(await fingerprint({ host, port: server.port, clock, signal })).toEqual({
      kind: "silent",
      why: "no-answer",
    });
    expect(server.requests.length).toBe(3);
  });

  it("counts for what it has proven until then", async () => {
    const clock = new VirtualClock();
    const server = await serveHttp(({ url }, response) => {
      if (url === "/") response.setHeader("content-type", "text/plain").end("Ollama is running");
      else if (url?.startsWith("/.well-known")) response.writeHead(404).end();
    });
    const result = fingerprint({ host, port: server.port, clock, signal });
    await expect.poll(() => server.requests.length).toBe(3);
    await clock.advance(1_500);
    expect(await result).toMatchObject({
      kind: "server",
      identification: { server: "ollama", version: null, models: [] },
    });
  });
});

describe("a server that hangs up", () => {
  it.each([
    ["at once", (socket: Socket) => socket.destroy()],
    ["after nothing but line ends", (socket: Socket) => socket.end("\r\n".repeat(20_000))],
    ["with a reset", (socket: Socket) => socket.resetAndDestroy()],
    ["in the header", (socket: Socket) => socket.end("HTTP/1.1 200 OK\r\nContent-")],
    ["in the body", (socket: Socket) => socket.end(`${head}Content-Length: 500\r\n\r\n{"schemaVersion":1`)],
    ["in a chunk", (socket: Socket) => socket.end(`${head}Transfer-Encoding: chunked\r\n\r\nff\r\n{`)],
  ])("is silent: %s", async (_, hangUp) => {
    const server = await serveTcp((socket) => socket.once("data", () => hangUp(socket)));
    expect(await ask(server)).toEqual({ kind: "silent", why: "closed" });
    await closed(server);
  });

  it("is asked on a new connection when it does so after every reply, unannounced", async () => {
    const server = await serveTcp((socket) => {
      socket.once("data", (request) => {
        const body = request.includes("GET / HTTP") ? "Ollama is running" : "";
        socket.write(
          `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        );
        socket.destroySoon();
      });
    });
    expect(await ask(server)).toMatchObject({ kind: "server", identification: { server: "ollama" } });
    expect(server.connections()).toBeLessThanOrEqual(4);
  });

  it("is none when it is no LLM server, even if that takes all questions to learn", async () => {
    const server = await serveTcp((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        socket.destroySoon();
      });
    });
    expect(await ask(server)).toEqual(other);
    expect(server.connections()).toBeLessThanOrEqual(4);
  });

  it("counts for what it said until then", async () => {
    const models = JSON.stringify({ object: "list", data: [{ id: "a", object: "model" }, { id: "b" }] });
    const server = await serveTcp((socket) => {
      socket.once("data", (request) => {
        const isAsked = request.includes("GET /v1/models ");
        if (isAsked) socket.end(`${head}Content-Length: 500\r\n\r\n${models.slice(0, -4)}`);
        else socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      });
    });
    expect(await ask(server)).toMatchObject({
      kind: "server",
      identification: { server: null, models: ["a"] },
    });
  });

  it("refuses, and that is told apart", async () => {
    const server = await replay({
      title: "",
      answers: {},
      otherwise: text(""),
      expected: null,
      questions: 0,
    });
    await server.close();
    expect(await ask(server)).toEqual({ kind: "silent", why: "refused" });
  });
});

describe("a port that is no server", () => {
  it("fails whatever is asked", async () => {
    const server = await serveHttp((_, response) => response.writeHead(503).end("no backend"));
    expect(await ask(server)).toEqual({ kind: "other", is: "failing" });
  });

  it("greets in another protocol before it is asked", async () => {
    const server = await serveTcp((socket) => socket.write("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"));
    expect(await ask(server)).toEqual(foreign);
  });

  it("accepts and closes, as a proxy does whose container is dead", async () => {
    const server = await serveTcp((socket) => socket.destroy());
    expect(await ask(server)).toEqual({ kind: "silent", why: "closed" });
  });
});

describe("a host that does not answer", () => {
  it("is told from a server that accepts and takes its time", async () => {
    const clock = new VirtualClock();
    // Full queue for one connection: the kernel drops later ones, like a host that is gone.
    const full = await serveFull();
    const result = fingerprint({ host, port: full.port, clock, signal });
    await expect.poll(() => clock.pending).toBe(2);
    await clock.advance(400);
    expect(await result).toEqual({ kind: "silent", why: "no-connection" });
    expect(clock.pending).toBe(0);
  });
});

describe("a server of the last century", () => {
  it("is heard to the end of its connections", async () => {
    const server = await serveTcp((socket) => {
      socket.once("data", (request) => {
        const body = request.includes("GET / HTTP") ? "Ollama is running" : "";
        socket.end(`HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n${body}`);
      });
    });
    expect(await ask(server)).toMatchObject({ kind: "server", identification: { server: "ollama" } });
    expect(server.connections()).toBe(4);
  });
});

describe("a server that answers too much", () => {
  it("is not heard twice", async () => {
    const reply = `${head}Content-Length: 2\r\n\r\n{}`;
    const server = await answerWith(reply + reply + reply);
    expect((await ask(server)).kind).not.toBe("server");
    await closed(server);
  });

  it("is not followed elsewhere", async () => {
    const elsewhere = await serveHttp((_, response) => response.end());
    const server = await serveHttp((_, response) => {
      response.writeHead(302, { location: `http://${host}:${elsewhere.port}/` }).end();
    });
    expect(await ask(server)).toEqual(other);
    expect(elsewhere.connections()).toBe(0);
    expect(server.requests.length).toBeLessThanOrEqual(4);
  });

  it.each([
    ["arrays", "[".repeat(60_000)],
    ["arrays that end", "[".repeat(30_000) + "]".repeat(30_000)],
    ["objects", '{"object":'.repeat(6_000)],
  ])("is none: %s in each other", async (_, body) => {
    const server = await replay({
      title: "",
      answers: {},
      otherwise: { status: 200, type: "application/json", body },
      expected: null,
      questions: 4,
    });
    expect(await ask(server)).toEqual(other);
  });
});

describe("abort", () => {
  it("rejects with its reason and lets go of the connection", async () => {
    const ending = new AbortController();
    const clock = new VirtualClock();
    const server = await serveHttp(() => {});
    const result = fingerprint({ host, port: server.port, clock, signal: ending.signal });
    await expect.poll(() => server.requests.length).toBe(1);
    const reason = new Error("enough");
    ending.abort(reason);
    await expect(result).rejects.toBe(reason);
    expect(clock.pending).toBe(0);
    await closed(server);
  });

  it("before the start sends nothing", async () => {
    const server = await serveHttp(() => {});
    const reason = new Error("enough");
    const aborted = fingerprint({
      host,
      port: server.port,
      clock: leisurelyClock,
      signal: AbortSignal.abort(reason),
    });
    await expect(aborted).rejects.toBe(reason);
    expect(server.connections()).toBe(0);
  });
});
