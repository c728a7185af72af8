import { type ChildProcessByStdio, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { WatchLine } from "@lmserv/discovery-gateway/document";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { closed } from "./schemas.ts";

// Built command, as it is installed, on the loopback interface of this machine.

const bin = fileURLToPath(new URL("../bin/lmserv.mjs", import.meta.url));
/** Other programs may use the loopback interface too: our node has this name. */
const name = `cli-${randomBytes(6).toString("hex")}`;

type Child = ChildProcessByStdio<null, Readable, Readable>;

const children = new Set<Child>();

function lmserv(...argv: string[]): Child {
  const child = spawn(process.execPath, [bin, ...argv], { stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

async function outcome(child: Child): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output.stderr += chunk;
  });
  const [code] = await once(child, "close");
  return { code, ...output };
}

async function lineOf(stream: Readable, fits: (line: string) => boolean): Promise<string> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (fits(line)) return line;
    lines.push(line);
  }
  throw new Error(`the stream ended without that line:\n${lines.join("\n")}`);
}

let server: Server;
let port: string;

beforeEach(async () => {
  server = createServer((_, response) => response.writeHead(404).end()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  port = typeof address === "object" && address ? String(address.port) : "";
});

afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  server.close();
  server.closeAllConnections();
});

async function announce(...more: string[]): Promise<Child> {
  const child = lmserv("announce", "--port", port, "--info", name, "--interface", "lo", ...more);
  await lineOf(child.stderr, (line) => line.includes(`as "${name}"`));
  child.stderr.resume();
  return child;
}

describe("the command", () => {
  it("tells its version", async () => {
    const { code, stdout } = await outcome(lmserv("--version"));
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  it("makes 2 of a mistake", async () => {
    const { code, stdout, stderr } = await outcome(lmserv("announce", "--port", "70000"));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("'70000'");
  });

  it("finds what it announces", async () => {
    const announcer = await announce("--model", name);
    const ours = ["--model", name, "--first", "--timeout", "2m"];
    const { code, stdout } = await outcome(lmserv("discover", "--json", "--interface", "lo", ...ours));
    expect(code).toBe(0);
    const document = JSON.parse(stdout);
    closed.discover(document);
    expect(closed.discover.errors).toBeNull();
    const url = `http://127.0.0.1:${port}`;
    expect(document.nodes).toContainEqual(expect.objectContaining({ info: name, url, self: false }));
    announcer.kill("SIGINT");
    expect(await once(announcer, "exit")).toEqual([130, null]);
  });

  it.each([
    ["SIGTERM", 0],
    ["SIGHUP", 129],
    ["SIGQUIT", 131],
    ["SIGUSR2", 140],
  ] as const)("watches a server come, and go at %s", async (signal, code) => {
    const watcher = lmserv("discover", "--watch", "--json", "--interface", "lo");
    const lines = createInterface({ input: watcher.stdout })[Symbol.asyncIterator]();
    const next = async (kind: string): Promise<WatchLine> => {
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error(`no ${kind} came`);
        const line: WatchLine = JSON.parse(value);
        closed.watch(line);
        expect(closed.watch.errors).toBeNull();
        const isOurs = !("node" in line) || line.node.info === name;
        if (line.type === kind && isOurs) return line;
      }
    };
    await next("version");
    const announcer = await announce();
    await next("up");
    announcer.kill(signal);
    expect(await once(announcer, "exit")).toEqual([code, null]);
    expect(await next("down")).toMatchObject({ reason: "goodbye" });
    watcher.kill("SIGHUP");
    expect(await once(watcher, "exit")).toEqual([129, null]);
  });

  it("announces a port once, and again when its process was killed", async () => {
    const first = await announce();
    const { code, stderr } = await outcome(lmserv("announce", "--port", port, "--interface", "lo"));
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining(`process ${first.pid} announces port ${port} of this machine already`),
    });
    expect(first.exitCode).toBeNull();
    first.kill("SIGKILL");
    await once(first, "exit");
    const third = await announce();
    third.kill("SIGTERM");
    expect(await once(third, "exit")).toEqual([0, null]);
  });

  it("takes a reader that leaves for success", async () => {
    const watcher = lmserv("discover", "--watch", "--json", "--interface", "lo");
    const ended = once(watcher, "exit");
    await once(watcher.stdout, "data");
    watcher.stdout.destroy();
    const announcer = await announce();
    expect(await ended).toEqual([0, null]);
    announcer.kill("SIGTERM");
    await once(announcer, "exit");
  });

  it("prints what it has when it is interrupted", async () => {
    const child = lmserv("discover", "--json", "--timeout", "10m", "--interface", "lo", "-v");
    const finished = outcome(child);
    await once(child.stderr, "data");
    child.kill("SIGINT");
    const { code, stdout } = await finished;
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ formatVersion: "1.1", complete: false });
  });
});
