import type { Transport } from "@lmserv/discovery-core/transport";
import { memory } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, it } from "vitest";
import type { SignalName } from "../../src/io/interruption.ts";
import { Announcing, lan, loopback } from "../announcing.ts";
import { info, type Machine, served } from "../harness.ts";

let scene: Announcing;
let machine: Machine;

beforeEach(() => {
  scene = new Announcing();
  machine = scene.machine;
});

const announce = (...argv: string[]): Promise<void> => scene.announce(...argv);
const kinds = (): readonly string[] => scene.kinds();
const news = (): readonly string[] => scene.news();
const end = (name: SignalName, code: number): Promise<void> => scene.end(name, code);

/** Records the addresses of each announcement, and of each change of it, on the way to the network. */
function noting(said: (readonly string[] | undefined)[]): Transport {
  const inner = memory({ network: machine.network, name: "mdns" });
  return {
    name: "mdns",
    async open(context, options) {
      const session = await inner.open(context, options);
      return {
        ...session,
        async announce(node, options) {
          said.push(node.addresses);
          const registration = await session.announce?.(node, options);
          if (!registration) throw new Error("it cannot announce");
          return {
            async update(changed, options) {
              said.push(changed.addresses);
              await registration.update(changed, options);
            },
            [Symbol.asyncDispose]: () => registration[Symbol.asyncDispose](),
          };
        },
      };
    },
  };
}

describe("every LLM server of this machine", () => {
  const ollama = served("ollama", {
    path: "/api/chat",
    apis: ["ollama", "openai"],
    models: ["llama3"],
    auth: "none",
  });

  beforeEach(() => {
    machine.accepting.add(lan);
  });

  it("is announced as it shows itself, the first with the id of the key", async () => {
    machine.servers.clear();
    machine.servers.set(11_434, ollama);
    await scene.start();
    const { id } = machine.identity.key;
    expect([...scene.known().keys()]).toEqual([id]);
    expect(scene.heard[0]?.node).toMatchObject({
      server: "ollama",
      apis: ["ollama", "openai"],
      auth: "none",
    });
    machine.servers.set(8_080, served("llama.cpp", { path: "/v1/chat/completions" }));
    await machine.clock.advance(12_000);
    const [first = "", second = ""] = [...scene.known().values()].map(String);
    expect([...scene.known().keys()]).toEqual([id, `${id}.8080`]);
    expect(first).toMatch(/ ollama ollama 11434 \/api\/chat llama3$/);
    expect(second).toMatch(/ llama\.cpp llama\.cpp 8080 \/v1\/chat\/completions $/);
    machine.servers.delete(11_434);
    await machine.clock.advance(5_000);
    expect([...scene.known().keys()]).toEqual([`${id}.8080`]);
    await end("SIGTERM", 0);
    expect(scene.known().size).toBe(0);
  });

  it("is announced anew when its models change, without a goodbye", async () => {
    machine.servers.clear();
    machine.servers.set(11_434, ollama);
    await scene.start();
    machine.servers.set(11_434, served("ollama", { path: "/api/chat", models: ["llama3", "qwen3"] }));
    await machine.clock.advance(35_000);
    expect([...scene.known().values()]).toEqual([expect.stringMatching(/llama3,qwen3$/)]);
    expect(kinds()).not.toContain("goodbye");
    await end("SIGTERM", 0);
  });

  it("is looked for on further ports with --ports", async () => {
    machine.servers.clear();
    machine.servers.set(9_999, served("vllm"));
    await scene.start("--ports", "9999,9998");
    expect(scene.heard).toMatchObject([{ node: { port: 9_999, server: "vllm" } }]);
    await end("SIGTERM", 0);
  });

  it("is left out on one of these with the reason, and on a port that nobody named without a word", async () => {
    machine.servers.set(8_000, { kind: "other", is: "http" });
    machine.servers.set(9_999, { kind: "other", is: "http" });
    await scene.start("--ports", "9999");
    expect(news()).toEqual([
      "port 9999 is not announced: it speaks HTTP, and shows no sign of an LLM server; --port announces it all the same",
    ]);
    expect(scene.heard).toEqual([]);
    await end("SIGTERM", 0);
  });

  it("is left to another process that announces it", async () => {
    machine.claims.set(8_000, 4_711);
    await scene.start();
    expect(news()).toEqual(["warning: process 4711 announces port 8000 of this machine already"]);
    expect(scene.heard).toEqual([]);
    await end("SIGTERM", 0);
  });

  it.each([["--path", "/x"], ["--server", "vllm"], ["--model", "a"], ["--name", "Box"], ["--no-check"]])(
    "cannot be overridden by %s without --port",
    async (...argv) => {
      expect(await machine.start("announce", ...argv).ended).toBe(2);
      expect(machine.stderr.text).toContain(`option '${argv[0]}' needs --port`);
    },
  );
});

describe("a server that other hosts cannot reach", () => {
  beforeEach(() => {
    machine.accepting.add(loopback);
    machine.servers.set(8_000, served("vllm"));
  });

  it("is not announced, with the words that help, until it is bound elsewhere", async () => {
    await announce();
    expect(news()).toEqual([
      "warning: the server on port 8000 answers on 127.0.0.1 only, so that other hosts cannot reach it, and it is not announced; start it with: vllm serve --host 0.0.0.0; or have it shared as it is: --share",
    ]);
    expect(machine.network.sent).toBe(0);
    machine.accepting.add(lan);
    await machine.clock.advance(35_000);
    expect(kinds()).toEqual(["presence"]);
    expect(news().slice(1)).toEqual([
      "the server on port 8000 answers on every address of this machine now",
      expect.stringMatching(/^announced vllm on port 8000/),
    ]);
    await end("SIGTERM", 0);
  });

  it("on one of two networks is announced where it answers, with a warning", async () => {
    machine.interfaces = { ...machine.interfaces, eth1: [info("192.0.2.9", false)] };
    machine.accepting.add(lan);
    await announce();
    expect(kinds()).toEqual(["presence"]);
    expect(news()[0]).toMatch(
      /answers on 127\.0\.0\.1, 198\.51\.100\.7 only, so that hosts on eth1 cannot reach it; /,
    );
    await end("SIGTERM", 0);
  });

  it("is announced at the addresses that answered, and at another once that does", async () => {
    const said: (readonly string[] | undefined)[] = [];
    machine.plugins.set("mdns", machine.factory(noting(said)));
    machine.interfaces = { ...machine.interfaces, eth1: [info("192.0.2.9", false)] };
    machine.accepting.add(lan);
    await announce();
    expect(said).toEqual([[loopback, lan]]);
    machine.accepting.add("192.0.2.9");
    await machine.clock.advance(35_000);
    expect(said).toEqual([
      [loopback, lan],
      [loopback, lan, "192.0.2.9"],
    ]);
    await end("SIGTERM", 0);
  });

  it.each(["lo", loopback])("is fine when it is announced on %s only", async (name) => {
    await announce("--interface", name);
    expect(machine.stderr.text).not.toContain("warning");
    expect(kinds()).toEqual(["presence"]);
    await end("SIGTERM", 0);
  });

  it("is fine when the machine has no other interface", async () => {
    machine.interfaces = { lo: [info(loopback, true)] };
    await announce();
    expect(machine.stderr.text).not.toContain("warning");
    await end("SIGTERM", 0);
  });
});
