import { describe, expect, test } from "vitest";
import {
  answeringAmong,
  completeAnnouncement,
  isNodeId,
  isPath,
  isPort,
  randomHex,
  systemRandom,
} from "../../src/authors.ts";
import type { Announcement } from "../../src/index.ts";

function complete(fields: Partial<Announcement> | { readonly [field: string]: unknown }) {
  return completeAnnouncement({ port: 8000, ...fields } as Announcement, () => 0.5);
}

describe("an announcement", () => {
  test("gets an identity of 128 random bits and an empty `info`", () => {
    expect(complete({})).toEqual({ port: 8000, info: "", id: "80".repeat(16) });
  });

  test("keeps what it has", () => {
    const given = { port: 1, info: "gpu", id: "box", name: "Box", path: "/", attributes: { rack: "7" } };
    expect(complete(given)).toEqual(given);
  });
});

describe("the port", () => {
  test.each([1, 65_535])("may be %s", (port) => {
    expect(complete({ port }).port).toBe(port);
    expect(isPort(port)).toBe(true);
  });

  test.each([
    [0, "0"],
    [65_536, "65536"],
    [-1, "-1"],
    [1.5, "1.5"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
  ])("may not be %o", (port, shown) => {
    expect(() => complete({ port })).toThrow(
      new RangeError(`announce: port must be a whole number from 1 to 65535, and is ${shown}`),
    );
    expect(isPort(port)).toBe(false);
  });

  test("is a number, and there", () => {
    expect(() => complete({ port: "8000" })).toThrow(
      new TypeError('announce: port must be a whole number from 1 to 65535, and is "8000"'),
    );
    expect(() => complete({ port: undefined })).toThrow(new TypeError("announce: port is missing"));
    expect(isPort("8000")).toBe(false);
  });
});

describe("`info`", () => {
  test.each(["a".repeat(250), "é".repeat(125), `${"字".repeat(83)}!`, `${"🦙".repeat(62)}ab`])(
    "may be %s",
    (info) => {
      expect(complete({ info }).info).toBe(info);
    },
  );

  test.each([
    ["a".repeat(251), 251],
    [`${"é".repeat(125)}a`, 251],
    ["字".repeat(84), 252],
    ["🦙".repeat(63), 252],
  ])("may not be %s", (info, bytes) => {
    expect(() => complete({ info })).toThrow(
      new RangeError(`info "${info}" takes ${bytes} bytes of UTF-8; at most 250 are allowed`),
    );
  });

  test("must be text", () => {
    expect(() => complete({ info: 7 })).toThrow(new TypeError("announce: info must be a text, and is 7"));
  });
});

describe("the identity", () => {
  test.each(["a", "~!#$", "a".repeat(128)])("may be %s", (id) => {
    expect(complete({ id }).id).toBe(id);
  });

  test.each(["", "a b", "10.0.0.1:8000", "naïve", "tab\t"])("may not be %j", (id) => {
    expect(isNodeId(id)).toBe(false);
    expect(() => complete({ id })).toThrow(
      new RangeError(`id ${JSON.stringify(id)} must be 1 to 128 visible ASCII characters but ":"`),
    );
  });

  test("may not be longer than 128 characters", () => {
    expect(isNodeId("a".repeat(129))).toBe(false);
    expect(() => complete({ id: "a".repeat(129) })).toThrow(
      /takes 129 bytes of UTF-8; at most 128 are allowed/,
    );
  });
});

describe("the name", () => {
  test.each(["a", "Küche", "a".repeat(63)])("may be %s", (name) => {
    expect(complete({ name }).name).toBe(name);
  });

  test("may be neither empty nor longer than a DNS label", () => {
    expect(() => complete({ name: "" })).toThrow(
      new RangeError('announce: name must be a text that is not empty, and is ""'),
    );
    expect(() => complete({ name: "ü".repeat(32) })).toThrow(
      /takes 64 bytes of UTF-8; at most 63 are allowed/,
    );
  });
});

describe("the path", () => {
  test.each(["/", "/chat", "/v1/chat?x=1", "/ü", `/${"a".repeat(249)}`])("may be %s", (path) => {
    expect(complete({ path }).path).toBe(path);
    expect(isPath(path)).toBe(true);
  });

  test.each(["", "chat", "/a b", "/a\n", "/\u0000"])("may not be %j", (path) => {
    expect(isPath(path)).toBe(false);
    expect(() => complete({ path })).toThrow(
      new RangeError(
        `path ${JSON.stringify(path)} must start with "/" and hold neither spaces nor control characters`,
      ),
    );
  });

  test("may not be longer than 250 bytes", () => {
    expect(() => complete({ path: `/${"a".repeat(250)}` })).toThrow(/takes 251 bytes of UTF-8; at most 250/);
  });
});

describe("an attribute", () => {
  test("may fill a TXT string", () => {
    const attributes = { key: "a".repeat(251), empty: "" };
    expect(complete({ attributes }).attributes).toEqual(attributes);
  });

  test("may not be longer", () => {
    expect(() => complete({ attributes: { key: "a".repeat(252) } })).toThrow(
      /^attribute "key" "a+" takes 252 bytes of UTF-8; at most 251 are allowed$/,
    );
  });

  test.each(["", "a=b", "ü", "a\n"])("may not have the key %j", (key) => {
    expect(() => complete({ attributes: { [key]: "x" } })).toThrow(
      new RangeError(`attribute key ${JSON.stringify(key)} must be printable ASCII without "="`),
    );
  });

  test("must be text", () => {
    expect(() => complete({ attributes: { rack: 7 } })).toThrow(
      new TypeError("announce: attributes.rack must be a text, and is 7"),
    );
  });
});

describe("the addresses at which the server answers", () => {
  test("are written as the system writes them, each once", () => {
    const addresses = ["10.0.0.1", "2001:DB8:0::1", "10.0.0.1", "FE80::1%eth0"];
    expect(complete({ addresses }).addresses).toEqual(["10.0.0.1", "2001:db8::1", "fe80::1%eth0"]);
  });

  test("are left out for every address", () => {
    expect(complete({})).not.toHaveProperty("addresses");
    expect(complete({ addresses: undefined }).addresses).toBeUndefined();
  });

  test.each(["gpu.local", "10.0.0", "10.0.0.1:80", "", "127.1"])("may not hold %j", (address) => {
    expect(() => complete({ addresses: [address] })).toThrow(
      new RangeError(`addresses holds ${JSON.stringify(address)}, which is no IPv4 or IPv6 address`),
    );
  });

  test.each(["0.0.0.0", "::", "0::0"])("may not hold %s, which stands for all", (address) => {
    expect(() => complete({ addresses: [address] })).toThrow(
      /which no host has; leave addresses out for every address$/,
    );
  });

  test("are neither none nor a flood, and a list", () => {
    const flood = Array.from({ length: 257 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
    expect(() => complete({ addresses: [] })).toThrow(/addresses must be a list of 1 to 256, and is \[\]/);
    expect(() => complete({ addresses: flood })).toThrow(/addresses must be a list of 1 to 256, and is \[/);
    expect(() => complete({ addresses: [7] })).toThrow(
      new TypeError("announce: addresses[0] must be a text, and is 7"),
    );
    expect(() => complete({ addresses: "10.0.0.1" })).toThrow(
      new TypeError(
        'announce: addresses must be a list of 1 to 256, such as ["10.0.0.1"], and is "10.0.0.1"',
      ),
    );
  });

  test("are taken from the machine's own, or stand alone where it has none of them", () => {
    const own = ["10.0.0.1", "10.0.1.1", "2001:db8::1"];
    expect(answeringAmong(own, undefined)).toEqual(own);
    expect(answeringAmong(own, ["2001:db8::1", "10.0.0.1", "127.0.0.1"])).toEqual([
      "10.0.0.1",
      "2001:db8::1",
    ]);
    expect(answeringAmong(own, ["172.17.0.1", "fe80::1%eth0"])).toEqual(["172.17.0.1"]);
  });
});

describe("random bits", () => {
  test("are two hexadecimal digits for each byte, small ones too", () => {
    const bytes = [0, 1 / 256, 0.5, 255.999 / 256];
    expect(randomHex(() => bytes.shift() ?? 0, 32)).toBe("000180ff");
  });

  test("come from the system, uniform in [0, 1)", () => {
    const drawn = Array.from({ length: 2_000 }, systemRandom);
    expect(drawn.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(new Set(drawn).size).toBeGreaterThan(1_990);
  });
});
