import { describe, expect, test } from "vitest";
import { type Names, parseSeed, resolveSeed } from "../src/seeds.ts";

const addresses: Readonly<Record<string, readonly string[]>> = {
  "seed.test": ["192.0.2.1", "2001:db8::1"],
  "a.test": ["192.0.2.2"],
  "b.test": ["192.0.2.3", "192.0.2.2"],
  "a b.test": ["192.0.2.2"],
  "blocked.test": ["0.0.0.0", "::"],
};

/** What a name server may answer all the same. */
const unusable = [
  { name: "0.0.0.0", port: 1 },
  { name: "192.0.2.9", port: 0 },
  { name: "a b.test", port: 7946 },
];

const names: Names = {
  async lookup(name) {
    const found = addresses[name];
    if (found) return found;
    throw new Error(`${name} is unknown`);
  },
  resolveSrv: async () => [
    { name: "a.test", port: 7946 },
    { name: "b.test", port: 7946 },
    { name: "192.0.2.9", port: 1 },
    ...unusable,
  ],
};

describe("a seed", () => {
  test.each([
    ["ws://192.0.2.1:7946", ["ws://192.0.2.1:7946"]],
    ["ws://[2001:db8::1]:7946", ["ws://[2001:db8::1]:7946"]],
    ["ws://seed.test:7946", ["ws://192.0.2.1:7946", "ws://[2001:db8::1]:7946"]],
    ["wss://seed.test:7946", ["wss://seed.test:7946"]],
    ["ws://blocked.test:7946", []],
    ["dns+srv://_lmserv-mesh._tcp.test", ["ws://192.0.2.2:7946", "ws://192.0.2.3:7946", "ws://192.0.2.9:1"]],
  ])("%s leads to %j", async (text, urls) => {
    expect(await resolveSeed(parseSeed(text, false), names)).toEqual(urls);
  });

  test("of a service leads to names over TLS where links are encrypted", async () => {
    const seed = parseSeed("dns+srv://_lmserv-mesh._tcp.test", true);
    const urls = ["wss://a.test:7946", "wss://b.test:7946", "wss://192.0.2.9:1"];
    expect(await resolveSeed(seed, names)).toEqual(urls);
  });

  test("that has no address is what the DNS says it is", async () => {
    await expect(resolveSeed(parseSeed("ws://nowhere.test:1", false), names)).rejects.toThrow(
      "nowhere.test is unknown",
    );
  });

  test.each([
    "",
    "seed.test",
    "http://seed.test",
    "ws://seed.test/path",
    "dns+srv://",
    "dns+srv://name",
    "dns+srv://a b.c",
    "ws://0.0.0.0:7946",
    "ws://0:7946",
    "ws://[::]:7946",
    "ws://[::ffff:0.0.0.0]:7946",
    "ws://224.0.0.251:7946",
    "ws://255.255.255.255:7946",
  ])("cannot be %j", (text) => {
    expect(() => parseSeed(text, false)).toThrow(RangeError);
  });
});
