import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { describeEtcd } from "../../../../packages/discovery-etcd/test/servers/describe.ts";
import { EtcdServer } from "../../../../packages/discovery-etcd/test/servers/server.ts";
import { describeNats } from "../../../../packages/discovery-nats/test/servers/describe.ts";
import { NatsServer } from "../../../../packages/discovery-nats/test/servers/server.ts";
import { freePort } from "../../../../packages/discovery-store/test/free-port.ts";

// Two instances of the built command: an announcement and a search on one machine, over a real store.

const bin = fileURLToPath(new URL("../../bin/lmserv.mjs", import.meta.url));

type Child = ChildProcessByStdio<null, Readable, Readable>;

let state: string;
const children = new Set<Child>();

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "lmserv-cli-"));
});

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
  await rm(state, { recursive: true });
});

function lmserv(...argv: readonly string[]): Child {
  const env = { ...process.env, XDG_STATE_HOME: state };
  const child = spawn(process.execPath, [bin, ...argv], { env, stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  return child;
}

/** Announces a node, lists it from another process, and asserts that it is there. */
async function expectBeside(...store: readonly string[]): Promise<void> {
  const port = await freePort();
  const announcer = lmserv("announce", "--port", `${port}`, "--info", "beside", "--no-check", ...store);
  for await (const chunk of announcer.stderr.setEncoding("utf8")) if (chunk.includes("announced ")) break;
  const looker = lmserv("discover", "--json", "--first", "--timeout", "2m", ...store);
  const [output, [code]] = await Promise.all([text(looker.stdout), once(looker, "exit")]);
  const node = { info: "beside", port, self: false, url: expect.stringMatching(/^http:/) };
  expect({ code, nodes: JSON.parse(output).nodes }).toMatchObject({ code: 0, nodes: [node] });
}

describeEtcd("a node of this machine on etcd", {}, () => {
  test("is listed at once by a command beside it", async () => {
    await using server = await EtcdServer.start();
    await expectBeside("--transport", "etcd", "--endpoint", server.url);
  });
});

describeNats("a node of this machine on NATS", {}, () => {
  test("is listed at once by a command beside it", async () => {
    await using server = await NatsServer.start();
    await expectBeside("--transport", "nats", "--endpoint", server.url);
  });
});
