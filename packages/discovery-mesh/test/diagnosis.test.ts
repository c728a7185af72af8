import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { type Check, type CheckCode, silentLog, systemClock } from "@lmserv/discovery-core/transport";
import { seededRandom } from "@lmserv/discovery-testkit";
import { describe, expect, it } from "vitest";
import { generateKey } from "../src/index.ts";
import { type MeshOptions, mesh } from "../src/transport.ts";
import { serve } from "./link/servers.ts";
import { keyText, site } from "./link/site.ts";

async function examine(options: MeshOptions): Promise<readonly Check[]> {
  const found: Check[] = [];
  const context = {
    clock: systemClock,
    random: seededRandom(1),
    log: silentLog,
    neighbors: async () => [],
  };
  const { signal } = new AbortController();
  const { diagnose } = mesh({ cluster: "home", ...options });
  for await (const one of diagnose?.(context, { signal }) ?? []) found.push(one);
  return found;
}

const codes = (checks: readonly Check[]): readonly CheckCode[] => checks.map(({ code }) => code);

/** A port of this machine on which nobody listens. */
async function nobody(): Promise<string> {
  await using server = await serve(createServer());
  return server.url;
}

describe("the examination of a mesh", () => {
  it("finds the seed and that the key fits, and leaves nobody behind", async () => {
    const member = site();
    await using door = await member.listen();
    const found = await examine({ keys: keyText, seeds: [door.url] });
    expect(found).toEqual([
      {
        code: "mesh/seed-reached",
        verdict: "ok",
        transport: "mesh",
        interface: null,
        message: `a member of the mesh answers at ${door.url}, and our key fits`,
        fix: null,
      },
    ]);
    const { link, ended } = await member.link();
    expect(link.peer.role).toBe("observer");
    expect(await ended).toMatchObject({ code: "leaving", remote: true });
  });

  it.each<[string, MeshOptions]>([
    ["another key", { keys: generateKey() }],
    ["another cluster", { keys: keyText, cluster: "away" }],
    ["no key", {}],
  ])("tells from all else that it has %s", async (_, options) => {
    const member = site();
    await using door = await member.listen();
    const found = await examine({ ...options, seeds: [door.url] });
    expect(codes(found).filter((code) => code !== "mesh/key-missing")).toEqual(["mesh/key-refused"]);
    expect(found.at(-1)?.fix).toMatch(/^give both sides the same key file/);
    expect(member.links).toEqual([]);
  });

  it("tells nobody from a stranger", async () => {
    await using web = await serve(createHttpServer((_, response) => response.end("hello")));
    const keys = keyText;
    expect(await examine({ keys, seeds: [await nobody()] })).toMatchObject([
      { code: "mesh/seed-unreachable", verdict: "fail", message: expect.stringContaining("ECONNREFUSED") },
    ]);
    expect(codes(await examine({ keys, seeds: [web.url] }))).toEqual(["mesh/seed-foreign"]);
    expect(codes(await examine({ keys, seeds: ["ws://nowhere.invalid:7946"] }))).toEqual([
      "mesh/seed-unreachable",
    ]);
  });

  it("does not mind a seed that is away while another is there", async () => {
    const member = site();
    await using door = await member.listen();
    const found = await examine({ keys: keyText, seeds: [await nobody(), door.url] });
    expect(codes(found)).toEqual(["mesh/seed-spare-unreachable", "mesh/seed-reached"]);
  });

  it("dials nobody who would read along", async () => {
    const found = await examine({ seeds: ["ws://192.0.2.1:7946"] });
    expect(codes(found)).toEqual(["mesh/key-missing", "mesh/seed-unsafe"]);
    expect(codes(await examine({ keys: keyText, seeds: ["ws://198.51.100.1:7946"] }))).toEqual([
      "mesh/seed-unsafe",
    ]);
  });

  it("says what is not set up", async () => {
    expect(codes(await examine({}))).toEqual(["mesh/unused"]);
    expect(codes(await examine({ keys: keyText }))).toEqual(["mesh/seed-missing"]);
  });
});
