import { readFile } from "node:fs/promises";
import { plugin as ownArp } from "@lmserv/discovery-arp";
import { plugin as ownEtcd } from "@lmserv/discovery-etcd";
import { plugin as mdns } from "@lmserv/discovery-mdns";
import { plugin as ownMesh } from "@lmserv/discovery-mesh";
import { plugin as ownNats } from "@lmserv/discovery-nats";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { arp, mesh } from "./harness.ts";
import { publishedSchema } from "./published-schema.ts";

/** Editors complete the options of every transport here. */
const published = publishedSchema([mdns, ownArp, ownMesh, ownEtcd, ownNats]);

test("the published schema is that of the code; `vitest -u` writes it anew", async () => {
  await expect(`${JSON.stringify(published, null, 2)}\n`).toMatchFileSnapshot("../schema/v1.json");
});

describe("an editor that has the schema", () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const isValid = ajv.compile(publishedSchema([mdns, arp, mesh]));

  test.each([
    { version: 1 },
    { $schema: "./v1.json", version: 1, preset: "office" },
    { version: 1, transports: { mdns: { interfaces: ["eth0"] }, arp: { when: "mdns-silent", after: "3s" } } },
    { version: 1, transports: { mesh: { seeds: ["wss://a.example"], keyFile: "mesh.key" } } },
    { version: 1, transports: { near: { type: "arp", sweep: true }, bus: { type: "nats", endpoints: [] } } },
  ])("takes %j", (content) => {
    expect(isValid(content)).toBe(true);
  });

  test.each([
    {},
    { version: 2 },
    { version: 1, transprots: {} },
    { version: 1, preset: "ofice" },
    { version: 1, transports: {} },
    { version: 1, transports: { "my mesh": {} } },
    { version: 1, transports: { mdns: { interface: "eth0" } } },
    { version: 1, transports: { mdns: { maxInstances: 0 } } },
    { version: 1, transports: { arp: { after: "soon" } } },
    { version: 1, transports: { mdns: { when: "mdns-silent" } } },
    { version: 1, transports: { near: { type: "arp", seep: true } } },
    { version: 1, transports: { mesh: { seeds: ["wss://a.example"], key: "s3cret" } } },
  ])("refuses %j", (content) => {
    expect(isValid(content)).toBe(false);
  });
});

test("nothing that reads files is loaded before there is a file", async () => {
  const seen = new Set<string>();
  const packages = new Set<string>();
  const follow = async (file: URL): Promise<void> => {
    if (seen.has(file.href)) return;
    seen.add(file.href);
    const text = await readFile(file, "utf8");
    for (const [, from = ""] of text.matchAll(/^(?:import|export|\}) (?!type).*from "(.+)";$/gm)) {
      if (from.startsWith(".")) await follow(new URL(from, file));
      else packages.add(from);
    }
  };
  await follow(new URL("../src/index.ts", import.meta.url));
  expect(seen.size).toBeGreaterThan(10);
  expect([...packages].filter((name) => !name.startsWith("node:")).sort()).toEqual([
    "@lmserv/discovery-core",
    "@lmserv/discovery-core/transport",
    "@lmserv/discovery-network",
  ]);
});
