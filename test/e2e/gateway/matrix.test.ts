import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createLan, python } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { describe, expect, test } from "vitest";
import { announce, lmserv } from "../command/command.ts";
import { temporaryFolder } from "../command/temporary-folder.ts";
import { type ModelHost, openSite, type Site } from "./endpoint.ts";

const oneThread = fileURLToPath(new URL("../health/one-thread.py", import.meta.url));

/** Codes of curl for an answer that broke off. */
const brokenOff = [18, 52, 55, 56];

/** A way in which the preferred server is lost, and comes back. */
interface Loss {
  readonly lose: (site: Site, a: ModelHost) => unknown;
  readonly regain: (site: Site, a: ModelHost) => Promise<ModelHost>;
}

const losses: Readonly<Record<string, Loss>> = {
  killed: {
    lose: (_, { process }) => process.kill("SIGKILL"),
    regain: ({ restart }) => restart(),
  },
  stopped: {
    lose: (_, { process }) => process.kill("SIGSTOP"),
    regain: async (_, a) => {
      a.process.kill("SIGCONT");
      return a;
    },
  },
  "cut off": {
    lose: (_, { host }) => host.cut(),
    regain: async (_, a) => {
      await a.host.heal();
      return a;
    },
  },
};

describeNet("a client of the local endpoint, while the server that it would get", () => {
  describe.concurrent("is", () => {
    for (const [how, { lose, regain }] of Object.entries(losses)) {
      test(`${how}: before the request, while it waits, in mid-stream, and between requests`, async () => {
        await using site = await openSite();
        let { a } = site;
        const { b } = site;
        let answeredByB = 0;
        const comeBack = async (): Promise<void> => {
          a = await regain(site, a);
          await a.order("answer");
          await site.firstServes();
          answeredByB = b.requests();
        };

        // Between two requests, on a connection that is kept.
        const before = await (await site.ask()).answer();
        expect(before).toMatchObject({ status: 200, text: expect.stringContaining("a ") });
        await lose(site, a);
        expect(await (await site.ask()).answer()).toMatchObject({
          status: 200,
          text: expect.stringContaining("b "),
        });
        // Before a request: no remaining node would be asked in vain for long.
        expect(await (await site.ask()).answer()).toMatchObject({
          status: 200,
          text: expect.stringContaining("b "),
        });
        expect(b.requests()).toBe(2);
        await comeBack();

        // While the client waits for the first byte.
        await a.order("wait");
        const asked = a.requests();
        const waiting = await site.ask();
        await a.asked(asked + 1);
        await lose(site, a);
        expect(await waiting.answer()).toMatchObject({ status: 200, text: expect.stringContaining("b ") });
        expect(b.requests()).toBe(answeredByB + 1);
        await comeBack();

        // In mid-stream: the answer breaks off, and no other server begins anew.
        await a.order("stream");
        const streaming = await site.ask();
        await streaming.process.line((line) => line.includes("a "));
        await lose(site, a);
        const { exit, text } = await streaming.answer();
        expect(brokenOff).toContain(exit.code);
        expect(text).not.toContain("[DONE]");
        expect(b.requests()).toBe(answeredByB);
      });
    }
  });

  test.concurrent("answers with an error, or breaks off", async () => {
    await using site = await openSite();
    const { a, b, ask } = site;
    for (const status of ["429", "503"]) {
      await a.order(status);
      expect(await (await ask()).answer()).toMatchObject({
        status: 200,
        text: expect.stringContaining("b "),
      });
    }
    await a.order("500");
    expect(await (await ask()).answer()).toMatchObject({
      status: 500,
      text: expect.stringContaining("mode 500"),
    });
    await b.order("429");
    await a.order("429");
    expect(await (await ask()).answer()).toMatchObject({
      status: 429,
      text: expect.stringContaining("mode 429"),
    });
    await a.order("die");
    const { exit, text } = await (await ask()).answer();
    expect(brokenOff).toContain(exit.code);
    expect(text).toContain("a ");
  });

  test.concurrent("works for a client that leaves: it stops, and no other begins", async () => {
    await using site = await openSite();
    const { a, b, ask } = site;
    await a.order("wait");
    const early = await ask();
    await a.asked(1);
    early.process.kill("SIGKILL");
    await a.left(1);
    await a.order("stream");
    const late = await ask();
    await late.process.line((line) => line.includes("a "));
    late.process.kill("SIGKILL");
    await a.left(2);
    expect([a.requests(), b.requests()]).toEqual([2, 0]);
  });

  test.concurrent("is the only one, and works on a long prompt: one request, one answer", async () => {
    await using site = await openSite();
    const { a, b, ask, gateway } = site;
    b.process.kill("SIGKILL");
    await gateway.stderrLine((line) => line.includes("serving llama3 (a)"));
    await a.order("wait");
    const client = await ask();
    await a.asked(1);
    await a.order("finish");
    expect(await client.answer()).toMatchObject({ status: 200, text: expect.stringContaining("[DONE]") });
    expect(a.requests()).toBe(1);
  });

  test.concurrent("has one thread, and answers no check while it works: one request, one answer", async () => {
    await using lan = await createLan({ hosts: 2 });
    await using folder = await temporaryFolder();
    const [a, b] = lan.hosts;
    const keyFile = join(folder.path, "key");
    await writeFile(keyFile, "0123456789abcdef\n", { mode: 0o600 });
    const server = await a.spawn([python, oneThread, "8000"]);
    await server.line((line) => line === "listening");
    await announce(a, "--port", "8000");
    const gateway = await b.spawn(lmserv("gateway", "--node-key", `${a.address}:8000=${keyFile}`));
    await gateway.stderrLine((line) => line.includes("listening on"));
    const endpoint = "http://127.0.0.1:8740";
    const events = await b.spawn(["curl", "--silent", "--no-buffer", `${endpoint}/lmserv/events`]);
    await events.line((line) => line.includes('"state":"healthy"'));
    const client = await b.spawn(["curl", "--silent", "--data", '{"prompt":"hi"}', `${endpoint}/chat`]);
    await server.line((line) => line === "generating");
    await events.line((line) => line.includes('"state":"busy"'));
    server.stdin.write("\n");
    await client.exited;
    expect(client.stdoutText).toBe('"Hello"');
    expect(server.lines.filter((line) => line === "generating")).toHaveLength(1);
  });
});
