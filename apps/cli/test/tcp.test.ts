import { getEventListeners, once } from "node:events";
import { createServer, type Server } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { connectTcp } from "../src/tcp.ts";

const never = new AbortController().signal;

let server: Server;
let port: number;

beforeEach(async () => {
  server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  port = typeof address === "object" && address ? address.port : 0;
});

afterEach(() => {
  server.close();
});

describe("connectTcp", () => {
  it("resolves when the server accepts, and hangs up", async () => {
    const accepted = once(server, "connection");
    await connectTcp("127.0.0.1", port, never);
    const [socket] = await accepted;
    socket.resume();
    await once(socket, "close");
  });

  it("rejects when nobody listens", async () => {
    server.close();
    await once(server, "close");
    await expect(connectTcp("127.0.0.1", port, never)).rejects.toThrow("ECONNREFUSED");
  });

  it("rejects what cannot be connected to at all", async () => {
    await expect(connectTcp("255.255.255.255", port, never)).rejects.toThrow();
  });

  it("rejects when it is aborted", async () => {
    await expect(connectTcp("127.0.0.1", port, AbortSignal.abort())).rejects.toThrow("abort");
  });

  it("makes Node warn of nothing when one signal stands for 40 connections, and keeps no listener", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    const { signal } = new AbortController();
    process.on("warning", note);
    const connecting = Array.from({ length: 40 }, () => connectTcp("127.0.0.1", port, signal));
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    await Promise.all(connecting);
    await vi.waitUntil(() => getEventListeners(signal, "abort").length === 0);
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });
});
