import type { NodeInfo, RegistryChange } from "@lmserv/discovery-core";
import { describe, expect, test } from "vitest";
import { attributesOf, followCandidates } from "../src/candidates.ts";

type Kind = RegistryChange["kind"];
type Found = Partial<NodeInfo> & {
  readonly transport?: string;
  readonly trust?: NodeInfo["sources"][0]["trust"];
};

/** A node as others have found it. */
function found({ transport = "mdns", trust = "announced", ...fields }: Found): NodeInfo {
  const at = "1970-01-01T00:00:00.000Z";
  const times = {
    firstSeenMs: 0,
    lastSeenMs: 0,
    expiresMs: 1,
    firstSeenAt: at,
    lastSeenAt: at,
    expiresAt: at,
  };
  const heard = { stale: null, relayed: false };
  return {
    id: "box",
    host: "10.0.0.2",
    port: 8_000,
    scheme: "http",
    info: "",
    hostname: null,
    addresses: ["10.0.0.2"],
    path: null,
    url: null,
    baseUrl: null,
    openaiUrl: null,
    health: null,
    server: null,
    apis: [],
    models: [],
    modelsCut: false,
    auth: null,
    attributes: {},
    self: false,
    sources: [{ transport, key: "k", trust, ...times, ...heard }],
    ...fields,
  };
}

/** Candidates as they are told of, each time anew, and a way to change what is found. */
function following(secure = false) {
  const told: (readonly string[])[] = [];
  let tell: (change: RegistryChange) => void = () => {};
  const follow = (onChange: (change: RegistryChange) => void): (() => void) => {
    tell = onChange;
    return () => {};
  };
  followCandidates({ follow, name: "mesh", secure, onChange: (urls) => told.push(urls) });
  const say = (kind: Kind, node: Found): void =>
    tell(kind === "down" ? { kind, node: found(node), reason: "expired" } : { kind, node: found(node) });
  return { told, say };
}

describe("a candidate is", () => {
  test.each<[string, Found, string]>([
    ["a node that names a port", { attributes: { mesh: "7950" } }, "ws://10.0.0.2:7950"],
    ["one that names a port with TLS", { attributes: { mesh: "wss:7950" } }, "wss://10.0.0.2:7950"],
    ["one with an IPv6 address", { host: "fd00::2", attributes: { mesh: "7950" } }, "ws://[fd00::2]:7950"],
    [
      "one that was asked, and could not say",
      { transport: "arp", trust: "identified" },
      "ws://10.0.0.2:7946",
    ],
  ])("%s", (_, node, url) => {
    const { told, say } = following();
    say("up", node);
    expect(told).toEqual([[url]]);
  });

  test("taken to have TLS if it cannot say, and we have it", () => {
    const { told, say } = following(true);
    say("up", { trust: "identified" });
    expect(told).toEqual([["wss://10.0.0.2:7946"]]);
  });

  test("not one that names a port without TLS, if we have it", () => {
    const { told, say } = following(true);
    say("up", { attributes: { mesh: "7950" } });
    expect(told).toEqual([]);
    say("updated", { attributes: { mesh: "wss:7950" } });
    expect(told).toEqual([["wss://10.0.0.2:7950"]]);
  });

  test.each<[string, Found]>([
    ["a node that names no port, although it could", {}],
    ["one of our own", { self: true, attributes: { mesh: "7946" } }],
    ["one that only the mesh itself knows", { transport: "mesh", attributes: { mesh: "7946" } }],
    ["one at an address that only this link knows", { host: "fe80::2%eth0", attributes: { mesh: "7946" } }],
    ...["", "0", "65536", "-1", " 7946", "7e3", "ws://10.0.0.9:7946", "http:80", "7946/x"].map(
      (mesh): [string, Found] => [`one that names ${JSON.stringify(mesh)}`, { attributes: { mesh } }],
    ),
  ])("not %s", (_, node) => {
    const { told, say } = following();
    say("up", node);
    expect(told).toEqual([]);
  });
});

describe("candidates", () => {
  test("come, move and go with the nodes", () => {
    const { told, say } = following();
    say("up", { attributes: { mesh: "7946" } });
    say("updated", { attributes: { mesh: "7946" }, info: "busy" });
    say("up", { id: "twin", attributes: { mesh: "7946" } });
    say("updated", { attributes: { mesh: "7947" } });
    say("updated", { attributes: {} });
    say("down", { id: "twin" });
    say("down", { id: "stranger" });
    const [first, second] = ["ws://10.0.0.2:7946", "ws://10.0.0.2:7947"];
    expect(told).toEqual([[first], [first], [second, first], [first], []]);
  });

  test("are as many as a mesh has members, however many nodes there are", () => {
    const { told, say } = following();
    for (let n = 1; n <= 1_000; n += 1)
      say("up", { id: `${n}`, host: `10.0.${n >> 8}.${n & 255}`, attributes: { mesh: "7946" } });
    expect(told.at(-1)).toHaveLength(256);
    expect(told).toHaveLength(256);
    say("down", { id: "1" });
    say("up", { id: "late", host: "10.9.9.9", attributes: { mesh: "7946" } });
    expect(told.at(-1)).toContain("ws://10.9.9.9:7946");
  });

  test("are four of a host, so that one that is named a thousand times keeps no other out", () => {
    const { told, say } = following();
    for (let port = 1; port <= 1_000; port += 1)
      say("up", { id: `${port}`, attributes: { mesh: `${port}` } });
    expect(told.at(-1)).toHaveLength(4);
    say("up", { id: "other", host: "10.0.0.3", attributes: { mesh: "7946" } });
    expect(told.at(-1)).toContain("ws://10.0.0.3:7946");
  });
});

describe("own nodes say elsewhere", () => {
  const loopback = { host: "127.0.0.1", port: 7_946 };
  test.each([
    ["where the mesh listens", [{ host: "0.0.0.0", port: 7_946 }], false, { mesh: "7946" }],
    ["that it wants TLS", [{ host: "::", port: 7_950 }], true, { mesh: "wss:7950" }],
    ["what others can reach", [loopback, { host: "10.0.0.1", port: 7_950 }], false, { mesh: "7950" }],
    ["nothing where only this machine comes", [loopback, { host: "::1", port: 7_946 }], false, {}],
    ["nothing where nobody comes", [], false, {}],
  ])("%s", (_, listening, secure, attributes) => {
    expect(attributesOf(listening, secure)).toEqual(attributes);
  });
});
