import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@lmserv/discovery-core/transport";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimPort, type PortClaim } from "../../src/announce/port-claim.ts";

let folder: string;
let port: number;
const held: PortClaim[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lmserv-claim-"));
  port = await freePort();
});

afterEach(async () => {
  for (const claim of held.splice(0)) if (claim.kind === "held") await claim[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function claim(of: number = port, at?: string): Promise<PortClaim> {
  const made = await claimPort(of, systemClock, at);
  held.push(made);
  return made;
}

/** Port that neither another test nor another program has claimed. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address ? address.port : 0;
}

/** Foreign program that listens in place of a claim. */
async function stranger(address: string, answer: string | null): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    if (answer !== null) socket.end(answer);
  }).listen(address);
  await once(server, "listening");
  return server;
}

describe("a claim of a port", () => {
  it("is held once, and tells who has it", async () => {
    expect(await claim()).toMatchObject({ kind: "held" });
    expect(await claim()).toEqual({ kind: "taken", pid: process.pid });
    expect(await claim(await freePort())).toMatchObject({ kind: "held" });
  });

  it("is free again when it was let go", async () => {
    const first = await claim();
    if (first.kind === "held") await first[Symbol.asyncDispose]();
    expect(await claim()).toMatchObject({ kind: "held" });
  });

  it("goes to one of many that come at once", async () => {
    const kinds = (await Promise.all(Array.from({ length: 12 }, () => claim()))).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "held")).toHaveLength(1);
  });

  it("is held without a word where no socket can be had", async () => {
    expect(await claim(port, join(folder, "x".repeat(300)))).toMatchObject({ kind: "held" });
  });
});

describe("a claim that is a file", () => {
  it("is free when its process was killed and could not remove it", async () => {
    const path = join(folder, "claim.sock");
    const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => console.log("there"))`;
    const child: ChildProcess = spawn(process.execPath, ["-e", script], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    if (child.stdout) await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await claim(port, path)).toMatchObject({ kind: "held" });
    expect(await claim(port, path)).toEqual({ kind: "taken", pid: process.pid });
  });

  it.each(["", "rubbish\n", "-5\n", "1.5\n", "9".repeat(1_000)])(
    "is taken by a process without a number, when that answers %j",
    async (answer) => {
      const path = join(folder, "claim.sock");
      const server = await stranger(path, answer);
      expect(await claim(port, path)).toEqual({ kind: "taken", pid: null });
      server.close();
    },
  );

  it("is taken by a process that was stopped, and does not answer", async () => {
    const path = join(folder, "claim.sock");
    const server = await stranger(path, null);
    const connected = once(server, "connection");
    const clock = new VirtualClock();
    const claiming = claimPort(port, clock, path);
    const [socket] = await connected;
    await clock.advance(1_000);
    expect(await claiming).toEqual({ kind: "taken", pid: null });
    socket.destroy();
    server.close();
  });
});
