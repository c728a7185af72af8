import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generateKey } from "../src/index.ts";
import { joinAsPlainMember, plainIdentity } from "./link/plain-member.ts";
import { nextPort, startMember, type TestMember } from "./member.ts";

// What a member that has the key may say of others, over a real link, and what it may not.

const cluster = "forgery";
const ttlMs = 1_000;
let stateDirectory = "";

beforeAll(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), "lmserv-mesh-"));
});
afterAll(() => rm(stateDirectory, { recursive: true }));

interface Scene extends AsyncDisposable {
  readonly victim: TestMember;
  readonly say: (text: string) => void;
}

/** Two honest members, and one with the key that says what it likes to the first. */
async function scene(): Promise<Scene> {
  const [first, second] = [nextPort(), nextPort()];
  const keys = generateKey();
  const shared = { cluster, keys, stateDirectory };
  const victim = await startMember("victim", { ...shared, port: first });
  const other = await startMember("other", { ...shared, port: second, seeds: [`ws://127.0.0.1:${first}`] });
  await expect.poll(() => victim.listed()).toEqual(["other", "victim"]);
  const { socket } = await joinAsPlainMember(first, { key: keys, cluster });
  return {
    victim,
    say: (text) => socket.send(text),
    async [Symbol.asyncDispose]() {
      // Whatever was said, the mesh is as it was.
      expect(other.listed()).toContain("victim");
      expect(victim.listed()).toContain("other");
      socket.terminate();
      await other[Symbol.asyncDispose]();
      await victim[Symbol.asyncDispose]();
    },
  };
}

const author = plainIdentity();

function record(changes: object = {}): object {
  const node = { id: "a".repeat(32), port: 8_000, info: "ghost" };
  return {
    ...{ kind: "alive", cluster, id: author.id, epoch: 1_000, seq: 1, ttlMs, instance: "0123456789abcdef" },
    ...{ addresses: ["192.0.2.7"], urls: [], nodes: [node] },
    ...changes,
  };
}

/** As it travels over one relay; signed by its author unless said otherwise. */
function told(content: object, { publicKey, sign }: ReturnType<typeof plainIdentity> = author): string {
  const text = JSON.stringify(content);
  const signed = { text, publicKey, signature: sign(Buffer.from(text)) };
  return JSON.stringify({ type: "record", signed, hops: 1, ageMs: 0 });
}

const named = (info: string): object => ({ nodes: [{ id: "a".repeat(32), port: 8_000, info }] });

describe("a member that holds the key", () => {
  test.each([
    ["signed by itself", told(record(), plainIdentity())],
    ["with a key that is not its id's", told(record({ id: "b".repeat(32) }))],
    ["changed under way", told(record()).replace("ghost", "guest")],
    ["of another mesh", told(record({ cluster: "elsewhere" }))],
    ["over the size limit", told(record({ padding: "x".repeat(17_000) }))],
    ["that is none", told({ kind: "alive" })],
    ["that is no message", "{}"],
  ])("cannot announce another node: %s", async (_, message) => {
    await using stage = await scene();
    stage.say(message);
    await expect.poll(() => stage.victim.dropped()).toBe(1);
    expect(stage.victim.listed()).toEqual(["other", "victim"]);
  });

  test("gives an old announcement one lifetime, however often it is repeated", async () => {
    await using stage = await scene();
    stage.say(told(record()));
    await expect.poll(() => stage.victim.listed()).toContain("ghost");
    const repeated = (): readonly string[] => {
      stage.say(told(record()));
      return stage.victim.listed();
    };
    await expect.poll(repeated).not.toContain("ghost");
    for (let times = 1; times <= 20; times += 1) {
      stage.say(told(record()));
      // What comes after it over the same link is looked at later.
      stage.say("{}");
      await expect.poll(() => stage.victim.dropped()).toBe(times);
      expect(stage.victim.listed()).not.toContain("ghost");
    }
  });

  test("cannot bring an older announcement back over a newer one, nor over a goodbye", async () => {
    await using stage = await scene();
    stage.say(told(record({ seq: 2, ttlMs: 60_000, ...named("newer") })));
    await expect.poll(() => stage.victim.listed()).toContain("newer");
    stage.say(told(record({ seq: 1, ttlMs: 60_000, ...named("older") })));
    const {
      addresses: _,
      urls: __,
      nodes: ___,
      instance: ____,
      ...tombstone
    } = record() as Record<string, unknown>;
    stage.say(told({ ...tombstone, kind: "left", seq: 3 }));
    await expect.poll(() => stage.victim.listed()).toEqual(["other", "victim"]);
    stage.say(told(record({ seq: 2, ttlMs: 60_000, ...named("newer") })));
    stage.say("{}");
    await expect.poll(() => stage.victim.dropped()).toBe(1);
    expect(stage.victim.listed()).toEqual(["other", "victim"]);
  });
});
