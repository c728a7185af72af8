import { chmod, chown, lstat, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ListPlaces, readList, serveList, systemPlaces } from "../../src/gateway/list-socket.ts";
import { Machine, served } from "../harness.ts";
import { closed } from "../schemas.ts";

let folder: string;
let places: ListPlaces;
let machine: Machine;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lmserv-list-"));
  places = {
    system: join(folder, "system"),
    own: join(folder, "own"),
    uid: process.getuid?.() ?? -1,
    isService: false,
  };
  machine = new Machine();
  machine.places = places;
  machine.accepting.add("127.0.0.1");
  machine.servers.set(8_000, served("vllm", { apis: ["openai"], models: ["llama3"] }));
  const gateway = machine.start("gateway");
  await machine.until(() => machine.stderr.text.includes("serving llama3"));
  await machine.clock.advance(5_000);
  ending = async () => {
    gateway.signal("SIGTERM");
    await gateway.ended;
  };
});

let ending: () => Promise<void>;

afterEach(async () => {
  await ending();
  await rm(folder, { recursive: true });
});

/** Another process of the machine, with an empty network. */
function other(): Machine {
  const second = new Machine();
  second.places = places;
  return second;
}

describe("lmserv discover", () => {
  test("reads at once what a running endpoint lists, and says so", async () => {
    const second = other();
    expect(await second.start("discover", "--json").ended).toBe(0);
    const document = JSON.parse(second.stdout.text);
    expect(closed.discover(document), JSON.stringify(closed.discover.errors)).toBe(true);
    expect(document).toMatchObject({ durationMs: 0, nodes: [{ server: "vllm", port: 8_000 }] });
    expect(second.stderr.text).toContain("listed by lmserv on this machine");
    expect(second.network.sent).toBe(0);
    second.stdout.text = "";
    expect(await second.start("discover", "--model", "llama3", "--print", "openai").ended).toBe(0);
    expect(second.stdout.text).toBe("http://127.0.0.1:8000/v1\n");
    second.stdout.text = "";
    expect(await second.start("discover").ended).toBe(0);
    expect(second.stdout.text).toMatch(/healthy .*vllm .*llama3 .*0s/);
  });

  test.each([
    [["--timeout", "1s"]],
    [["--transport", "mdns"]],
    [["--model", "phi3"]],
    [["--interface", "eth0"]],
  ])("with %j looks for itself", async (argv) => {
    const second = other();
    expect(await second.run(4_000, "discover", ...argv)).toBe(1);
    expect(second.network.sent).toBeGreaterThan(0);
  });

  test("believes no folder that others may write to", async () => {
    for (const place of [places.system, places.own ?? ""]) await chmod(place, 0o777).catch(() => {});
    const second = other();
    expect(await second.run(4_000, "discover")).toBe(1);
    expect(second.network.sent).toBeGreaterThan(0);
  });

  test("looks for itself once the endpoint has ended", async () => {
    await ending();
    expect(await other().run(4_000, "discover")).toBe(1);
  });
});

describe("the list of a service", () => {
  /** First of the users that systemd makes. */
  const dynamic = 61_184;
  const list = { formatVersion: "1.1", complete: true, durationMs: 0, nodes: [], warnings: [] } as const;

  test("is served in the folder that systemd made for it", () => {
    const given = systemPlaces({ RUNTIME_DIRECTORY: "/run/other:/run/lmserv" });
    expect(given).toMatchObject({ system: "/run/lmserv", own: null, isService: true });
    expect(systemPlaces({ XDG_RUNTIME_DIR: "/run/user/7" })).toMatchObject({
      own: "/run/user/7/lmserv",
      isService: false,
    });
  });

  test("is for every user, unless the endpoint has a key", async () => {
    const service = { ...places, system: join(folder, "service"), own: null, uid: dynamic, isService: true };
    for (const [isPublic, mode] of [
      [true, 0o666],
      [false, 0o600],
    ] as const) {
      await using served = await serveList(() => list, isPublic, service);
      expect(served).not.toBeNull();
      const [name = ""] = await readdir(service.system);
      expect((await lstat(join(service.system, name))).mode & 0o777).toBe(mode);
      expect((await lstat(service.system)).mode & 0o777).toBe(0o755);
    }
  });

  test.runIf(process.getuid?.() === 0).each([
    ["a user that systemd made up", dynamic, dynamic, 0o755, true],
    ["a user of the system", 1_000, 1_000, 0o755, false],
    ["nobody", 65_534, 65_534, 0o755, false],
    ["two users", dynamic, dynamic + 1, 0o755, false],
    ["such a user, in a folder that all may write", dynamic, dynamic, 0o777, false],
  ] as const)("of %s", async (_, ofFolder, ofSocket, mode, isBelieved) => {
    const system = join(folder, "service");
    await mkdir(system);
    await using served = await serveList(() => list, true, { ...places, system, isService: true });
    expect(served).not.toBeNull();
    const [name = ""] = await readdir(system);
    await chown(join(system, name), ofSocket, ofSocket);
    await chown(system, ofFolder, ofFolder);
    await chmod(system, mode);
    const read = await readList({ ...places, system, own: null, uid: 1_000_000 });
    expect(read !== null).toBe(isBelieved);
    // Any user with write access above it could have put it there.
    await chmod(folder, 0o777);
    expect(await readList({ ...places, system, own: null, uid: 1_000_000 })).toBeNull();
  });
});
