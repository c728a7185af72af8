import { beforeEach, describe, expect, test } from "vitest";
import { Registry } from "../../src/authors.ts";
import { type AliveFields, alive, at, gone } from "../observations.ts";

let registry: Registry;

beforeEach(() => {
  registry = new Registry();
});

/** One announcer, heard on a link of its own under each key. */
function hear(key: string, address: string, rest: AliveFields = {}) {
  const report = { key, id: null, announcer: "box.local:8000", addresses: [at(address)], ...rest };
  return registry.apply(alive(report), 0);
}

function listed(): unknown {
  return registry.listAlive().map(({ id, addresses }) => ({ id, addresses }));
}

describe("a node without an identity", () => {
  test("that is heard on two links is one node with the addresses of both", () => {
    hear("box@eth0", "10.0.0.1");
    hear("box@eth1", "10.1.0.1");
    expect(listed()).toEqual([{ id: "10.0.0.1:8000", addresses: ["10.0.0.1", "10.1.0.1"] }]);
  });

  test("stays what it is called when the link goes that it was first heard on", () => {
    hear("box@eth0", "10.0.0.1");
    hear("box@eth1", "10.1.0.1");
    expect(registry.apply(gone({ key: "box@eth0" }), 0).map(({ kind }) => kind)).toEqual(["updated"]);
    hear("box@eth1", "10.1.0.1");
    expect(listed()).toEqual([{ id: "10.0.0.1:8000", addresses: ["10.1.0.1"] }]);
  });

  test("that was two endpoints until its announcer was heard at both is one from then on", () => {
    hear("10.0.0.1:8000", "10.0.0.1", { via: "arp", announcer: "a" });
    hear("10.1.0.1:8000", "10.1.0.1", { via: "arp", announcer: "b" });
    expect(registry.size).toBe(2);
    hear("box@eth0", "10.0.0.1");
    const changes = hear("box@eth1", "10.1.0.1");
    expect(changes.map(({ kind, node }) => `${kind} ${node.id}`)).toEqual([
      "down 10.1.0.1:8000",
      "updated 10.0.0.1:8000",
    ]);
    hear("10.1.0.1:8000", "10.1.0.1", { via: "arp", announcer: "b" });
    expect(listed()).toEqual([{ id: "10.0.0.1:8000", addresses: ["10.0.0.1", "10.1.0.1"] }]);
  });

  test("belongs, on every link, to the node with an identity that one of its endpoints is", () => {
    hear("box@eth0", "10.0.0.1");
    registry.apply(alive({ via: "arp", key: "x", id: "x", addresses: [at("10.1.0.1")] }), 0);
    hear("box@eth1", "10.1.0.1");
    expect(listed()).toEqual([{ id: "x", addresses: ["10.1.0.1", "10.0.0.1"] }]);
  });

  test.each<[string, AliveFields]>([
    ["another announcer", { announcer: "box-2.local:8000" }],
    ["one of the same name on another medium", { via: "arp" }],
    ["one with an identity", { id: "y" }],
  ])("is another one than %s", (_, rest) => {
    hear("box@eth0", "10.0.0.1");
    hear("box@eth1", "10.1.0.1", rest);
    expect(registry.size).toBe(2);
  });
});

test("a node whose announcer nobody knows is what its endpoint is", () => {
  hear("box@eth0", "10.0.0.1");
  registry.apply(alive({ key: "box@eth1", id: null, addresses: [at("10.1.0.1")] }), 0);
  expect(registry.size).toBe(2);
});

test("nodes with identities are two, whoever announces them", () => {
  hear("a", "10.0.0.1", { id: "a" });
  hear("b", "10.1.0.1", { id: "b" });
  expect(registry.size).toBe(2);
});
