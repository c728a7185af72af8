import { describe, expect, test } from "vitest";
import type { NodeInfo } from "../../src/contract/node.ts";
import { mergeSources } from "../../src/registry/merge.ts";
import { type Source, sourceOf } from "../../src/registry/source.ts";
import { claimOf } from "../../src/registry/trust.ts";
import { type AliveFields, alive, at } from "../observations.ts";

/** Source that was heard once, at `nowMs`. */
function source(fields: AliveFields, nowMs = 0, before?: Source): Source {
  return sourceOf(claimOf(alive(fields), before), before, nowMs);
}

function merge(...sources: Source[]): NodeInfo {
  return mergeSources("box", sources, false, (ms) => `${ms} ms`);
}

describe("what users see of a node", () => {
  test("with one source is what that says", () => {
    const node = merge(
      source({
        info: "gpu",
        hostname: "gpu.local",
        path: "/chat",
        server: "lmserv",
        apis: ["openai"],
        models: ["llama"],
        auth: "none",
        attributes: { rack: "7" },
      }),
    );
    expect(node).toEqual({
      id: "box",
      host: "10.0.0.1",
      port: 8000,
      info: "gpu",
      hostname: "gpu.local",
      addresses: ["10.0.0.1"],
      path: "/chat",
      scheme: "http",
      url: "http://10.0.0.1:8000/chat",
      baseUrl: "http://10.0.0.1:8000",
      openaiUrl: "http://10.0.0.1:8000/v1",
      server: "lmserv",
      apis: ["openai"],
      models: ["llama"],
      modelsCut: false,
      auth: "none",
      attributes: { rack: "7" },
      health: null,
      self: false,
      sources: [
        {
          transport: "mdns",
          key: "box",
          trust: "announced",
          firstSeenMs: 0,
          lastSeenMs: 0,
          expiresMs: 60_000,
          firstSeenAt: "0 ms",
          lastSeenAt: "0 ms",
          expiresAt: "60000 ms",
          stale: null,
          relayed: false,
        },
      ],
    });
  });

  test("does not depend on the order of its sources", () => {
    const sources = [
      source({ via: "arp", info: "a" }),
      source({ info: "m" }),
      source({ key: "two", info: "t" }),
    ];
    expect(merge(...sources)).toEqual(merge(...[...sources].reverse()));
  });

  test("needs a source", () => {
    expect(() => merge()).toThrow(TypeError);
  });
});

describe("of several sources", () => {
  const signed = source({ via: "mesh", trust: "signed", info: "signed" }, 1);
  const announced = source({ trust: "announced", info: "announced" }, 2);
  const identified = source({ via: "arp", trust: "identified", info: "identified" }, 3);

  test("signed ones come before announced ones, and these before identified ones", () => {
    expect(merge(identified, announced, signed).sources.map(({ trust }) => trust)).toEqual([
      "signed",
      "announced",
      "identified",
    ]);
    expect(merge(identified, announced, signed).info).toBe("signed");
    expect(merge(identified, announced).info).toBe("announced");
  });

  test("the one that changed last comes first at equal trust", () => {
    expect(merge(source({ info: "old" }, 1), source({ via: "mesh", info: "new" }, 2)).info).toBe("new");
  });

  test("one that merely repeats itself is not newer", () => {
    const early = source({ info: "old" }, 1);
    const repeated = source({ info: "old" }, 3, early);
    expect(merge(repeated, source({ via: "mesh", info: "new" }, 2)).info).toBe("new");
    expect(repeated).toMatchObject({ changedMs: 1, lastSeenMs: 3 });
  });

  test("the next one fills what the best one leaves open", () => {
    const open = source({});
    const filling = source({
      via: "arp",
      trust: "identified",
      info: "gpu",
      server: "vllm",
      apis: ["openai"],
      auth: "required",
    });
    expect(merge(open, filling)).toMatchObject({
      info: "gpu",
      server: "vllm",
      apis: ["openai"],
      auth: "required",
    });
  });

  test("only signed ones fill what a signed one leaves open", () => {
    const open = source({ trust: "signed", server: "vllm" });
    const stranger = {
      info: "mine",
      path: "/mine",
      models: ["mine"],
      auth: "none",
      apis: ["openai"],
    } as const;
    const node = merge(open, source({ key: "stranger", ...stranger }, 1));
    expect(node).toMatchObject({ info: "", path: null, models: [], auth: null, apis: [], server: "vllm" });
    expect(node.sources).toHaveLength(2);
    const other = source({ via: "etcd", trust: "signed", info: "gpu", heardMs: null });
    expect(merge(open, source({ key: "stranger", ...stranger }, 1), other).info).toBe("gpu");
  });

  test("one that was heard where it is comes before hearsay, however new that is", () => {
    const heard = source({ info: "heard" }, 1);
    const hearsay = source({ via: "etcd", info: "hearsay", port: 9_000, heardMs: null }, 2);
    expect(merge(hearsay, heard)).toMatchObject({ info: "heard", port: 8_000 });
  });

  test("one that means another port tells nothing but that it is there", () => {
    const now = source({ port: 9000, addresses: [at("10.0.0.1")] }, 2);
    const before = source({ via: "mesh", port: 8000, path: "/old", addresses: [at("10.0.0.2")] }, 1);
    expect(merge(now, before)).toMatchObject({ port: 9000, addresses: ["10.0.0.1"], path: null });
    expect(merge(now, before).sources).toHaveLength(2);
  });
});

describe("addresses", () => {
  const addressed = (...addresses: ReturnType<typeof at>[]) => source({ addresses });

  test("are ordered by reach, IPv4 first at equal reach, loopback last", () => {
    const { addresses, host } = merge(
      addressed(
        at("127.0.0.1", "loopback"),
        at("fe80::1%eth0", "link-local"),
        at("172.17.0.1", "routed"),
        at("2001:db8::1", "on-link"),
        at("10.0.0.2", "on-link"),
        at("10.0.0.1", "source"),
      ),
    );
    expect(host).toBe("10.0.0.1");
    expect(addresses).toEqual([
      "10.0.0.1",
      "10.0.0.2",
      "2001:db8::1",
      "172.17.0.1",
      "fe80::1%eth0",
      "127.0.0.1",
    ]);
  });

  test("count with the best reach that any source gives them", () => {
    const far = source({ via: "mesh", addresses: [at("10.0.0.1", "routed"), at("10.0.0.2", "on-link")] });
    expect(merge(far, addressed(at("10.0.0.1"))).addresses).toEqual(["10.0.0.1", "10.0.0.2"]);
  });

  test("of a signed node are those that it signed, and in its order: a copy cannot draw its traffic", () => {
    const addresses = [at("10.9.0.1", "routed"), at("10.0.0.1", "routed")];
    const signed = source({ via: "mesh", trust: "signed", addresses });
    const copy = addressed(at("10.0.0.66"), at("10.0.0.1"));
    expect(merge(copy, signed)).toMatchObject({ host: "10.9.0.1", addresses: ["10.9.0.1", "10.0.0.1"] });
  });
});

describe("the URL", () => {
  const urlAt = (address: string): string | null =>
    merge(source({ addresses: [at(address)], path: "/chat" })).url;

  test.each([
    ["10.0.0.1", "http://10.0.0.1:8000/chat"],
    ["169.254.0.1", "http://169.254.0.1:8000/chat"],
    ["2001:db8::1", "http://[2001:db8::1]:8000/chat"],
    ["fe80::1%eth0", null],
    ["fe80::1", null],
  ])("at %s is %s", (address, url) => {
    expect(urlAt(address)).toBe(url);
  });

  test("ends after the port when the path is unknown", () => {
    expect(merge(source({})).url).toBe("http://10.0.0.1:8000");
  });
});
