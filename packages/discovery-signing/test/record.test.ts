import { unknownMachine } from "@lmserv/discovery-network";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AliveRecord,
  compareVersions,
  fittedNodes,
  generateNodeKey,
  type MemberRecord,
  readRecord,
  readRenewal,
  ShapeError,
  seenNode,
  signRecord,
  signRenewal,
  verifyRecord,
  verifySignature,
} from "../src/index.ts";

const key = generateNodeKey();
const cluster = "lab";

const alive: AliveRecord = {
  kind: "alive",
  cluster,
  id: key.id,
  epoch: 1_700_000_000_000,
  seq: 3,
  ttlMs: 15_000,
  instance: "0123456789abcdef",
  addresses: ["192.0.2.7", "2001:db8::7"],
  urls: ["ws://192.0.2.7:7946", "wss://[2001:db8::7]:7946/", "wss://gpu-box.example"],
  machine: { stack: "0".repeat(16), macs: ["1".repeat(16), "2".repeat(16)], installation: null },
  nodes: [
    {
      id: key.id,
      port: 8000,
      info: "gpu-box-01",
      path: "/chat",
      hostname: "gpu-box",
      server: "vllm",
      apis: ["openai"],
      models: ["qwen3-32b"],
      attributes: { gpu: "H100" },
      auth: "required",
    },
  ],
};

describe("a signed record", () => {
  test("says what was signed", () => {
    const verification = verifyRecord(signRecord(alive, key), { cluster });
    expect(verification).toEqual({ accepted: true, record: alive });
  });

  test.each([
    ["of 300 models", 1, (n: number) => `vendor/model-${n}`],
    ["of names of 4 kB", 1, (n: number) => `${n}${"x".repeat(4_000)}`],
    ["of 16 servers with 300 models each", 16, (n: number) => `vendor/model-${n}`],
  ])("has room for the first %s, and says that there are more", (_, servers, name) => {
    const models = Array.from({ length: 300 }, (_, n) => name(n));
    const nodes = Array.from({ length: servers }, (_, n) => ({
      id: `${key.id}.${n}`,
      info: "",
      port: 8_000 + n,
      models,
    }));
    const verification = verifyRecord(signRecord({ ...alive, nodes: fittedNodes(nodes) }, key), { cluster });
    const read =
      verification.accepted && verification.record.kind === "alive" ? verification.record.nodes : [];
    expect(read.map(({ port }) => port)).toEqual(nodes.map(({ port }) => port));
    for (const node of read) {
      expect(node.modelsCut).toBe(true);
      expect(models.slice(0, node.models?.length)).toEqual(node.models);
    }
    expect(seenNode(read[0] ?? nodes[0] ?? { id: "", info: "", port: 1 }, key.id, [])).toHaveProperty(
      "modelsCut",
      true,
    );
  });

  test("holds a short list whole", () => {
    expect(fittedNodes(alive.nodes)).toEqual(alive.nodes);
  });

  test("can be a tombstone", () => {
    const left: MemberRecord = { kind: "left", cluster, id: key.id, epoch: 5, seq: 4, ttlMs: 15_000 };
    expect(verifyRecord(signRecord(left, key), { cluster })).toEqual({ accepted: true, record: left });
  });

  test("is rejected for another mesh, by another key, or when it is old", () => {
    const signed = signRecord(alive, key);
    expect(verifyRecord(signed, { cluster: "other" })).toEqual({ accepted: false, why: "cluster" });
    expect(verifyRecord(signed, { cluster, isNewer: () => false })).toEqual({
      accepted: false,
      why: "not-newer",
    });
    const { publicKey } = generateNodeKey();
    expect(verifyRecord({ ...signed, publicKey }, { cluster })).toEqual({ accepted: false, why: "identity" });
    const forged = { ...signed, signature: key.sign("something else") };
    expect(verifyRecord(forged, { cluster })).toEqual({ accepted: false, why: "signature" });
  });

  test("is rejected when a byte of it was changed", () => {
    const signed = signRecord(alive, key);
    fc.assert(
      fc.property(
        fc.nat(signed.text.length - 1),
        fc.string({ minLength: 1, maxLength: 1 }),
        (at, character) => {
          fc.pre(signed.text[at] !== character);
          const text = signed.text.slice(0, at) + character + signed.text.slice(at + 1);
          expect(verifyRecord({ ...signed, text }, { cluster }).accepted).toBe(false);
        },
      ),
    );
  });

  test("cannot be made of what is too long, of nobody's or of no record", () => {
    const models = Array.from({ length: 64 }, () => "m".repeat(250));
    const [node] = alive.nodes;
    if (!node) throw new TypeError("there is a node");
    const long = {
      ...alive,
      nodes: [
        { ...node, models },
        { ...node, models },
      ],
    };
    expect(() => signRecord(long, key)).toThrow(/at most 16384/);
    expect(() => signRecord({ ...alive, id: generateNodeKey().id }, key)).toThrow(TypeError);
    expect(() => signRecord({ ...alive, cluster: "" }, key)).toThrow(TypeError);
  });

  test("keeps what it knows and drops what it does not", () => {
    expect(readRecord(JSON.stringify({ ...alive, shoeSize: 43 }))).toEqual(alive);
  });
});

test("a record without a mark is of no machine that anybody knows", () => {
  const { machine: _, ...unmarked } = alive;
  expect(readRecord(JSON.stringify(unmarked))).toEqual({ ...alive, machine: unknownMachine });
});

describe("an address that no host has", () => {
  const nobodys = ["0.0.0.0", "::", "224.0.0.251", "255.255.255.255", "::ffff:0.0.0.0", "64:ff9b::127.0.0.1"];

  test.each([...nobodys, "fe80::1%eth0"])("such as %s is left out of what a member says", (address) => {
    const record = readRecord(JSON.stringify({ ...alive, addresses: [address, "192.0.2.7", "127.0.0.1"] }));
    expect(record).toEqual({ ...alive, addresses: ["192.0.2.7", "127.0.0.1"] });
  });

  test.each(nobodys)("such as %s is none to dial", (address) => {
    const url = `ws://${address.includes(":") ? `[${address}]` : address}:7946`;
    const record = readRecord(JSON.stringify({ ...alive, urls: [url, "ws://192.0.2.7:7946"] }));
    expect(record).toEqual({ ...alive, urls: ["ws://192.0.2.7:7946"] });
  });

  test("is listed once, however it is spelled", () => {
    const addresses = ["::ffff:192.0.2.7", "192.0.2.7", "2001:DB8:0::7"];
    const record = readRecord(JSON.stringify({ ...alive, addresses }));
    expect(record).toEqual({ ...alive, addresses: ["192.0.2.7", "2001:db8::7"] });
  });
});

describe("what cannot be a record", () => {
  const { machine } = alive;
  const node = { id: "a", port: 8000, info: "" };
  test.each<[string, object]>([
    ["no kind", { kind: "gone" }],
    ["an id that is no hash", { id: "A".repeat(32) }],
    ["an epoch of 0", { epoch: 0 }],
    ["a broken epoch", { epoch: 1.5 }],
    ["an epoch beyond all integers", { epoch: 2 ** 53 }],
    ["a seq that is text", { seq: "1" }],
    ["a ttl that nobody outlives", { ttlMs: 86_400_001 }],
    ["a ttl that nobody keeps up with", { ttlMs: 999 }],
    ["an instance that is none", { instance: "" }],
    ["a cluster with spaces", { cluster: "my lab" }],
    ["a host name for an address", { addresses: ["gpu-box"] }],
    ["too many addresses", { addresses: Array.from({ length: 17 }, (_, index) => `192.0.2.${index}`) }],
    ["an http URL", { urls: ["http://192.0.2.7:80"] }],
    ["a URL with credentials", { urls: ["ws://user@192.0.2.7"] }],
    ["a URL with a path", { urls: ["ws://192.0.2.7/path"] }],
    ["a URL with a port that cannot be", { urls: ["ws://192.0.2.7:70000"] }],
    ["too many URLs", { urls: Array.from({ length: 9 }, (_, index) => `ws://192.0.2.${index}`) }],
    ["a machine that is text", { machine: "box" }],
    ["a machine without cards", { machine: { ...machine, macs: undefined } }],
    ["a machine with nine cards", { machine: { ...machine, macs: Array(9).fill("1".repeat(16)) } }],
    ["a machine with a card that is no hash", { machine: { ...machine, macs: ["52:54:00:00:00:01"] } }],
    ["a machine with a long network stack", { machine: { ...machine, stack: "0".repeat(17) } }],
    ["a machine with a system that is a number", { machine: { ...machine, installation: 1 } }],
    ["nodes that are no list", { nodes: { 0: node } }],
    ["a node that is null", { nodes: [null] }],
    ["a node without a port", { nodes: [{ ...node, port: undefined }] }],
    ["a node on port 0", { nodes: [{ ...node, port: 0 }] }],
    ["a node with an id that cannot be", { nodes: [{ ...node, id: "a:b" }] }],
    ["a node with much info", { nodes: [{ ...node, info: "i".repeat(251) }] }],
    ["a node with half a character", { nodes: [{ ...node, info: "\ud800" }] }],
    ["a node with a broken path", { nodes: [{ ...node, path: "chat" }] }],
    ["a node with an unknown auth", { nodes: [{ ...node, auth: "maybe" }] }],
    ["a node with models that are numbers", { nodes: [{ ...node, models: [1] }] }],
    ["a node with a key that cannot be", { nodes: [{ ...node, attributes: { "a=b": "" } }] }],
    ["a node with attributes that are a list", { nodes: [{ ...node, attributes: ["a"] }] }],
  ])("%s", (_, changes) => {
    expect(() => readRecord(JSON.stringify({ ...alive, ...changes }))).toThrow(ShapeError);
  });

  test.each(["", "null", "[]", "1", '"text"', "{", "{}"])("the text %j", (text) => {
    expect(() => readRecord(text)).toThrow(ShapeError);
  });

  test("anything else, without any other error", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(() => readRecord(text)).toThrow(ShapeError);
      }),
    );
    const fields = Object.keys(alive);
    fc.assert(
      fc.property(fc.constantFrom(...fields), fc.jsonValue(), (field, value) => {
        try {
          readRecord(JSON.stringify({ ...alive, [field]: value }));
        } catch (error) {
          expect(error).toBeInstanceOf(ShapeError);
        }
      }),
    );
  });
});

describe("a renewal", () => {
  const renewal = { cluster, id: key.id, epoch: 7, seq: 3, beat: 12 };

  test("is small, and holds for the key of its record only", () => {
    const signed = signRenewal(renewal, key);
    expect(JSON.stringify(signed).length).toBeLessThan(300);
    expect(readRenewal(signed, cluster)).toEqual(renewal);
    expect(readRenewal(signed, "other")).toBeNull();
    const { publicKey } = key;
    const { text: bytes, signature } = signed;
    expect(verifySignature({ publicKey, bytes, signature })).toBe(true);
    expect(verifySignature({ publicKey: generateNodeKey().publicKey, bytes, signature })).toBe(false);
    const later = signRenewal({ ...renewal, beat: 13 }, key);
    expect(verifySignature({ publicKey, bytes: later.text, signature })).toBe(false);
  });

  test.each([{ beat: 0 }, { beat: undefined }, { kind: "alive" }, { id: "x" }, { padding: "x".repeat(300) }])(
    "cannot be with %j",
    (changes) => {
      const text = JSON.stringify({ kind: "renewal", ...renewal, ...changes });
      expect(readRenewal({ text, signature: "" }, cluster)).toBeNull();
    },
  );
});

test("a later start is newer than any record of an earlier one", () => {
  expect(compareVersions({ epoch: 2, seq: 1 }, { epoch: 1, seq: 9 })).toBeGreaterThan(0);
  expect(compareVersions({ epoch: 2, seq: 1 }, { epoch: 2, seq: 2 })).toBeLessThan(0);
  expect(compareVersions({ epoch: 2, seq: 2 }, { epoch: 2, seq: 2 })).toBe(0);
});
