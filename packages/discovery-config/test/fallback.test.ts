import { describe, expect, test } from "vitest";
import { composeConfigured } from "../src/index.ts";
import { faultOf, plugins, resolve, resolveFile } from "./harness.ts";

const silent = { when: "mdns-silent" };

describe("a transport that waits for mDNS", () => {
  test("waits as long as is said, or 1.2 s", async () => {
    const arp = { ...silent, after: "500ms" };
    const [, quick] = (await resolveFile({ version: 1, transports: { mdns: {}, arp } })).transports;
    expect(quick).toMatchObject({ name: "arp", afterMs: 500 });
    const [, slow] = (await resolveFile({ version: 1, transports: { mdns: {}, arp: silent } })).transports;
    expect(slow).toMatchObject({ name: "arp", afterMs: 1_200 });
  });

  test("stands by it, and several do together", async () => {
    const far = { type: "arp", ...silent };
    const mesh = { seeds: ["wss://a.example"], keyFile: "k" };
    const { transports } = await resolveFile(
      { version: 1, transports: { mesh, arp: silent, mdns: {}, far } },
      { files: { "/srv/app/k": "k" } },
    );
    expect(composeConfigured(transports).map(({ name }) => name)).toEqual(["mesh", "mdns+arp+far"]);
  });

  test("does so in the preset office", async () => {
    const { transports } = await resolve({ flags: { preset: "office" } });
    expect(transports.map(({ name, afterMs }) => ({ name, afterMs }))).toEqual([
      { name: "mdns", afterMs: null },
      { name: "arp", afterMs: 1_200 },
    ]);
  });

  test("waits for nothing when it is chosen without mDNS", async () => {
    const { transports } = await resolve({ flags: { preset: "office", transports: ["arp"] } });
    expect(transports).toMatchObject([{ name: "arp", afterMs: null }]);
  });
});

describe("nobody waits", () => {
  test.each([
    [
      { mdns: {}, mesh: { ...silent, seeds: ["wss://a.example"], keyFile: "k" } },
      /mesh\.when is "mdns-silent", and this transport announces: .*; make it "always", or delete it$/,
    ],
    [
      { arp: silent },
      /arp\.when is "mdns-silent", and no transport is mdns; add "mdns": \{\}, or make it "always"$/,
    ],
    [{ mdns: {}, arp: { after: "3s" } }, /arp\.after sets a time to wait, and 'when' is missing; add "when"/],
    [
      { mdns: {}, arp: silent, far: { ...silent, type: "arp", after: "4s" } },
      /far\.after is 4000 ms, and transports\.arp waits 1200 ms; let all wait equally long$/,
    ],
    [{ mdns: silent }, /mdns\.when is "mdns-silent", and this transport announces/],
  ])("%j", async (transports, expected) => {
    const fault = await faultOf(resolveFile({ version: 1, transports }, { files: { "/srv/app/k": "k" } }));
    expect(fault.message).toMatch(expected);
    expect(fault.line).toBeGreaterThan(2);
  });
});

describe("an optional transport that is not installed", () => {
  const nats = { optional: true };

  test("is left out with a warning", async () => {
    const { transports, warnings } = await resolveFile({ version: 1, transports: { mdns: {}, nats } });
    expect(transports).toMatchObject([{ name: "mdns" }]);
    expect(warnings).toEqual([expect.stringMatching(/install it: npm install @lmserv\/discovery-nats$/)]);
  });

  test("of which others would wait is no reason to wait", async () => {
    const load = new Map([...plugins].filter(([type]) => type !== "mdns"));
    const content = { version: 1, transports: { mdns: { optional: true }, arp: silent } };
    expect((await resolveFile(content, { plugins: load })).transports).toMatchObject([
      { name: "arp", afterMs: null },
    ]);
    const other = { version: 1, transports: { nats, arp: silent } };
    expect((await faultOf(resolveFile(other))).message).toMatch(/no transport is mdns/);
  });

  test("is an error when nothing is left", async () => {
    const { message } = await faultOf(resolveFile({ version: 1, transports: { nats } }));
    expect(message).toMatch(/not installed/);
  });
});
