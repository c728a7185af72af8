import { VirtualClock } from "@lmserv/discovery-testkit";
import { describe, expect, it } from "vitest";
import { documentPath, type Fingerprint, fingerprint } from "../src/index.ts";
import { recordings } from "./fixtures/recordings.ts";
import {
  answerAs,
  host,
  type Loopback,
  leisurelyClock,
  serveHttp,
  serveHttps,
  serveTcp,
} from "./loopback.ts";

const { signal } = new AbortController();
const clientHello = 22;

function ask({ port }: Loopback): Promise<Fingerprint> {
  return fingerprint({ host, port, clock: leisurelyClock, signal });
}

describe.each(recordings)("$title over TLS", (recording) => {
  it("is recognised, whoever vouches for it", async () => {
    const server = await serveHttps(answerAs(recording));
    expect(await ask(server)).toMatchObject({
      kind: "server",
      identification: { ...recording.expected, port: server.port, scheme: "https" },
    });
    expect(server.requests).toHaveLength(recording.questions);
  });
});

/** Answers plain HTTP with these bytes, and TLS with nothing. */
async function refuseWith(bytes: string | Buffer): Promise<Loopback & { hellos: () => number }> {
  let hellos = 0;
  const server = await serveTcp((socket) => {
    socket.once("data", (data) => {
      if (data[0] === clientHello) hellos += 1;
      socket.end(data[0] === clientHello ? "" : bytes);
    });
  });
  return { ...server, hellos: () => hellos };
}

function refusal(text: string): string {
  return `HTTP/1.1 400 Bad Request\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
}

describe("TLS", () => {
  it.each([
    ["an alert", Buffer.from([21, 3, 3, 0, 2, 2, 70])],
    ["no answer", ""],
    ["nginx's 400", refusal("<center>The plain HTTP request was sent to HTTPS port</center>")],
    ["Go's 400", "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"],
    ["Apache's 400", refusal("You're speaking plain HTTP to an SSL-enabled server port.")],
  ])("is tried once where plain HTTP is refused by %s", async (_, bytes) => {
    const server = await refuseWith(bytes);
    expect((await ask(server)).kind).not.toBe("server");
    expect(server.hellos()).toBe(1);
  });

  it.each([
    ["SSH", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"],
    ["a 400 of another sort", refusal("Bad Request")],
    ["a 404", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"],
  ])("is not tried with %s", async (_, bytes) => {
    const server = await refuseWith(bytes);
    await ask(server);
    expect(server.hellos()).toBe(0);
  });

  it("of a server that is no LLM server is one that is none", async () => {
    const server = await serveHttps((_, response) => response.writeHead(404).end());
    expect(await ask(server)).toEqual({ kind: "other", is: "http" });
  });

  it("is told of a document that names another port", async () => {
    const document = { schemaVersion: 1, servers: [{ port: 8_443, scheme: "https" }] };
    const server = await serveHttp(({ url }, response) => {
      if (url !== documentPath) response.writeHead(404).end();
      else response.setHeader("content-type", "application/json").end(JSON.stringify(document));
    });
    expect(await ask(server)).toMatchObject({ others: [{ port: 8_443, scheme: "https" }] });
  });

  it("that never comes to an end has the rest of the time", async () => {
    const clock = new VirtualClock();
    let hellos = 0;
    const server = await serveTcp((socket) => {
      socket.once("data", (data) => {
        if (data[0] === clientHello) hellos += 1;
        else socket.destroy();
      });
    });
    const result = fingerprint({ host, port: server.port, clock, signal });
    await expect.poll(() => hellos).toBe(1);
    await clock.advance(1_500);
    expect(await result).toEqual({ kind: "silent", why: "closed" });
    expect(clock.pending).toBe(0);
    await expect.poll(server.open).toBe(0);
  });
});
