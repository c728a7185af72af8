import { fileURLToPath } from "node:url";
import { createLan, type Host, type HostProcess, python } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { announce, type Watch, type WatchEvent, watch, watchHealth } from "../command/command.ts";
import { serve } from "../fingerprint/look-alike.ts";

const oneThread = fileURLToPath(new URL("./one-thread.py", import.meta.url));
const connectionTap = fileURLToPath(new URL("./connection-tap.py", import.meta.url));

const isDown = ({ type }: WatchEvent): boolean => type === "down";

/** Holds that a port goes through these states, past and future, with no other before or between them. */
async function expectStates(seen: Watch, port: number, ...states: readonly string[]): Promise<void> {
  const told: string[] = [];
  await seen.event(({ node }) => {
    const state = node?.port === port ? node.health?.state : undefined;
    if (state !== undefined && state !== told.at(-1)) told.push(state);
    return told.length === states.length;
  });
  expect(told).toEqual(states);
}

async function order(server: HostProcess, text: string): Promise<void> {
  server.stdin.write(`${text}\n`);
  await server.line((line) => line === text);
}

async function startOneThread(host: Host, port: number): Promise<HostProcess> {
  const server = await host.spawn([python, oneThread, String(port)]);
  await server.line((line) => line === "listening");
  return server;
}

/** Resolves when a host has asked for that many connections, those before a line of the tap not counted. */
function asked(tap: HostProcess, { address }: Host, times: number, from: number): Promise<string> {
  let count = 0;
  return tap.line(
    (line) => {
      if (line === address) count += 1;
      return count === times;
    },
    { from },
  );
}

describeNet("a server that cannot be used right now", () => {
  test.concurrent("is loading, wants a key or has no slot free, and healthy when that is over", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    const llama = await serve(a, "llama.cpp", 8_080);
    await order(llama, "load");
    await serve(a, "llama.cpp with a key", 8_081);
    await serve(a, "vllm with a key", 8_000);
    const seen = await watchHealth(b);
    await announce(a, "--ports", "8081");

    await expectStates(seen, 8_080, "loading");
    await order(llama, "loaded");
    await expectStates(seen, 8_080, "loading", "healthy");
    await order(llama, "fill");
    await expectStates(seen, 8_080, "loading", "healthy", "busy");
    await order(llama, "free");
    await expectStates(seen, 8_080, "loading", "healthy", "busy", "healthy");
    await expectStates(seen, 8_081, "auth");
    await expectStates(seen, 8_000, "auth");
    await seen.event(({ node }) => node?.port === 8_080 && node.health?.models[0]?.name === "first");
    expect(seen.events().filter(isDown)).toEqual([]);
  });

  test.concurrent("is busy as long as its only thread works on a prompt, and stays listed", async () => {
    await using lan = await createLan({ hosts: 3, neighbors: "learned" });
    const [a, b, c] = lan.hosts;
    const server = await startOneThread(a, 8_000);
    const tap = await a.spawn([python, connectionTap, a.interface, "8000"]);
    await tap.line((line) => line === "tapping");
    await announce(a);
    const swept = await watch(c, "--transport", "arp", "--sweep", "--ttl", "15s");
    await swept.event(({ type }) => type === "up");
    const prompt = await a.spawn(["curl", "--silent", "--data", "Hello", `http://${a.address}:8000/chat`]);
    await server.line((line) => line === "generating");
    const before = tap.lines.length;

    const announced = await watchHealth(b);
    // One asks how it is, the other whether it is there; each had given it up before it asked for the third time.
    await Promise.all([b, c].map((host) => asked(tap, host, 3, before)));
    await expectStates(announced, 8_000, "busy");
    server.stdin.write("done\n");
    await expectStates(announced, 8_000, "busy", "healthy");
    expect(await prompt.exited).toEqual({ code: 0, signal: null });
    for (const { events } of [announced, swept]) expect(events().filter(isDown)).toEqual([]);
  });
});
