import { fileURLToPath } from "node:url";
import { createLan, python } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { describe, expect, test } from "vitest";
import { announce } from "../command/command.ts";
import { type Client, openSite, type Site, startGateway } from "./endpoint.ts";

const oneThread = fileURLToPath(new URL("../health/one-thread.py", import.meta.url));

/** Codes of curl for an answer that broke off. */
const brokenOff = [18, 52, 55, 56];

/** A way in which the preferred server is lost, and comes back. */
interface Loss {
  readonly lose: (site: Site) => unknown;
  /** True if it lives on: only unanswered checks tell of its loss, and it sees that its client has gone. */
  readonly isSilent?: boolean;
  readonly regain: (site: Site) => unknown;
  /** True if it is back at once. */
  readonly isBack?: boolean;
}

const losses = {
  killed: {
    lose: ({ a }) => a.process.kill("SIGKILL"),
    regain: ({ restart }) => restart(),
  },
  restarted: {
    lose: async ({ a, restart }) => {
      a.process.kill("SIGKILL");
      await restart();
    },
    regain: () => {},
    isBack: true,
  },
  stopped: {
    lose: ({ a }) => a.process.kill("SIGSTOP"),
    regain: ({ a }) => a.process.kill("SIGCONT"),
    isSilent: true,
  },
  "cut off": {
    lose: ({ a }) => a.host.cut(),
    regain: ({ a }) => a.host.heal(),
    isSilent: true,
  },
  mute: {
    lose: ({ a }) => a.order("mute"),
    regain: ({ a }) => a.order("answer"),
    isSilent: true,
  },
} as const satisfies Record<string, Loss>;

/** Loses the server, and has the endpoint's time pass as long as it is lost. */
async function lose(site: Site, { lose, isSilent = false }: Loss): Promise<void> {
  await lose(site);
  if (isSilent) await site.gateway.order("hurry");
}

async function regain(site: Site, { regain }: Loss): Promise<void> {
  await site.gateway.order("steady");
  await regain(site);
}

/** Requests that the two servers have seen. */
function requests({ a, b }: Site): readonly [a: number, b: number] {
  return [a.requests(), b.requests()];
}

/** Between two requests, on a connection that is kept; and before a request, once the loss is known. */
async function losesIdle(site: Site, loss: Loss): Promise<void> {
  const { ask, b, recover } = site;
  expect(await (await ask()).answer()).toMatchObject({ status: 200, attempts: 1 });
  const before = b.requests();
  await lose(site, loss);
  const [kept, next] = [await (await ask()).answer(), await (await ask()).answer()];
  for (const answer of [kept, next]) {
    expect(answer).toMatchObject({
      status: 200,
      text: expect.stringMatching(loss.isBack ? /^data.*[ab] / : /b /),
    });
    expect(answer.text).toContain("[DONE]");
  }
  expect(b.requests() - before).toBe([kept, next].filter(({ text }) => text.includes("b ")).length);
  await regain(site, loss);
  await recover();
}

/** While the client waits for the first byte: one request each, and what the first was given is cancelled. */
async function losesWaited(site: Site, loss: Loss): Promise<void> {
  const { ask, recover } = site;
  await site.a.order("wait");
  const [ofA, ofB] = requests(site);
  const left = site.a.leavings();
  const client = await ask();
  await site.a.asked(ofA + 1);
  await lose(site, loss);
  expect(await client.answer()).toMatchObject({
    status: 200,
    attempts: 2,
    text: expect.stringMatching(/b (?:.|\n)*\[DONE\]/),
  });
  expect(site.b.requests()).toBe(ofB + 1);
  await regain(site, loss);
  if (loss.isSilent) {
    await site.a.left(left + 1);
    expect(site.a.requests()).toBe(ofA + 1);
  }
  await recover();
}

/** In mid-stream: the answer breaks off, and no other server begins anew. */
async function losesStreaming(site: Site, loss: Loss): Promise<void> {
  const { ask, recover } = site;
  await site.a.order("stream");
  const [ofA, ofB] = requests(site);
  const left = site.a.leavings();
  const client = await ask();
  await client.process.line((line) => line.includes("a "));
  await lose(site, loss);
  await expectBroken(client);
  expect(site.b.requests()).toBe(ofB);
  await regain(site, loss);
  if (loss.isSilent) {
    await site.a.left(left + 1);
    expect(site.a.requests()).toBe(ofA + 1);
  }
  await recover();
}

async function expectBroken(client: Client): Promise<void> {
  const { exit, text } = await client.answer();
  expect(brokenOff).toContain(exit.code);
  expect(text).toContain("a ");
  expect(text).not.toContain("[DONE]");
}

async function losesAlways(site: Site, loss: Loss): Promise<void> {
  await losesIdle(site, loss);
  await losesWaited(site, loss);
  await losesStreaming(site, loss);
}

describeNet("a client of the local endpoint, while the server that it would get", () => {
  const { killed, restarted, stopped, "cut off": cutOff, mute } = losses;
  describe.concurrent("before the request, while it waits, in mid-stream, and between requests, is", () => {
    test.each<[string, boolean, Loss[]]>([
      ["accepts and never answers", false, [mute]],
      ["killed, and restarted", false, [killed, restarted]],
      ["killed, over TLS", true, [killed]],
      ["stopped", false, [stopped]],
      ["cut off", false, [cutOff]],
    ])("%s", async (_, isSecure, kinds) => {
      await using site = await openSite({ isSecure });
      for (const loss of kinds) await losesAlways(site, loss);
    });
  });

  test.concurrent("answers with an error, breaks off, or works for a client that leaves", async () => {
    await using site = await openSite();
    const { a, b, ask } = site;
    for (const status of ["429", "503"]) {
      const [ofA, ofB] = requests(site);
      await a.order(status);
      expect(await (await ask()).answer()).toMatchObject({
        ...{ status: 200, attempts: 2, text: expect.stringContaining("b ") },
      });
      expect(requests(site)).toEqual([ofA + 1, ofB + 1]);
      await site.recover();
    }
    const [ofA, ofB] = requests(site);
    await a.order("500");
    expect(await (await ask()).answer()).toMatchObject({
      ...{ status: 500, attempts: 1, text: expect.stringContaining("mode 500") },
    });
    expect(requests(site)).toEqual([ofA + 1, ofB]);
    await b.order("429");
    await a.order("429");
    expect(await (await ask()).answer()).toMatchObject({
      ...{ status: 429, attempts: 2, text: expect.stringContaining("mode 429") },
    });
    expect(requests(site)).toEqual([ofA + 2, ofB + 1]);
    await site.recover();
    await a.order("die");
    await expectBroken(await ask());

    const [before, beforeB] = requests(site);
    await a.order("wait");
    const early = await ask();
    await a.asked(before + 1);
    early.process.kill("SIGKILL");
    await a.left(1);
    await a.order("stream");
    const late = await ask();
    await late.process.line((line) => line.includes("a "));
    late.process.kill("SIGKILL");
    await a.left(2);
    expect(requests(site)).toEqual([before + 2, beforeB]);
  });

  test.concurrent("has one thread, and answers no check in the minute of a prompt: one request, one answer", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    const key = "secret";
    const server = await a.spawn([python, oneThread, "8000"]);
    await server.line((line) => line === "listening");
    await announce(a, "--port", "8000");
    const gateway = await startGateway(b, { nodeKeys: [{ node: `${a.address}:8000`, key }], key });
    await gateway.process.line((line) => line.includes('"state":"healthy"'));
    const client = await b.spawn([
      "curl",
      "--silent",
      "--data",
      '{"prompt":"hi"}',
      "http://127.0.0.1:8740/chat",
    ]);
    await server.line((line) => line === "generating");
    await gateway.order("hurry");
    await gateway.process.line((line) => line.includes('"state":"busy"'));
    await gateway.order("pass 60000");
    server.stdin.write("\n");
    await client.exited;
    expect(client.stdoutText).toBe('"Hello"');
    expect(server.lines.filter((line) => line === "generating")).toHaveLength(1);
  });
});
