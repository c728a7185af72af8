import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BodyBudget } from "../src/body-budget.ts";

let server: ReturnType<typeof createServer>;
beforeEach(async () => {
  server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

/** Sends the beginning of a body of unknown length, and gives both ends of the request. */
async function sending(body: string) {
  const { port } = server.address() as AddressInfo;
  const client = httpRequest({ host: "127.0.0.1", port, method: "POST", agent: false });
  client.on("error", () => {});
  client.write(body);
  const [request] = (await once(server, "request")) as [IncomingMessage];
  return { client, request };
}

describe("bodies under way", () => {
  test("are bounded together, and give their room back once", async () => {
    const budget = new BodyBudget({ each: 8, all: 10 });
    const first = await sending("12345678");
    first.client.end();
    const kept = await budget.take(first.request);
    expect(kept).toMatchObject({ kind: "body", bytes: Buffer.from("12345678") });
    const second = await sending("123");
    expect(await budget.take(second.request)).toEqual({ kind: "no-room" });
    expect(budget.used).toBe(8);
    if (kept.kind === "body") for (let times = 0; times < 2; times += 1) kept.release();
    expect(budget.used).toBe(0);
    const third = await sending("123");
    third.client.end();
    expect(await budget.take(third.request)).toMatchObject({ kind: "body" });
  });

  test("are bounded each, and what was read of one gives its room back", async () => {
    const budget = new BodyBudget({ each: 8, all: 10 });
    const { request } = await sending("123456789");
    expect(await budget.take(request)).toEqual({ kind: "too-large" });
    expect(budget.used).toBe(0);
  });

  test("of clients that go give their room back", async () => {
    const budget = new BodyBudget({ each: 8, all: 10 });
    const { client, request } = await sending("1234");
    const taking = budget.take(request);
    client.destroy();
    await expect(taking).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(budget.used).toBe(0);
  });
});
