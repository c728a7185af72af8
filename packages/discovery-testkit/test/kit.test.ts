import { once } from "node:events";
import { createServer, type Server } from "node:net";
import {
  type Fixture,
  memoryFixture,
  type Register,
  transportConformance,
  transportRules,
} from "@lmserv/discovery-testkit";
import { afterEach, describe, expect, test } from "vitest";

const capabilities = { announces: true, reconfirms: true };

/** Register that only records. */
function registration() {
  const registered: string[] = [];
  const skipped: string[] = [];
  const register: Register = Object.assign((name: string) => registered.push(name), {
    skip: (name: string) => skipped.push(name),
  });
  return { register, registered, skipped };
}

const idsOf = (names: readonly string[]) => names.map((name) => name.split(":")[0]);

function ruleOf(id: string) {
  const rule = transportRules.find((rule) => rule.id === id);
  if (!rule) throw new TypeError(`no rule is called ${id}`);
  return rule;
}

async function run(id: string, change: (fixture: Fixture) => Partial<Fixture>): Promise<void> {
  await using fixture = await memoryFixture();
  await ruleOf(id).run({ ...fixture, ...change(fixture) }, capabilities);
}

describe("registering", () => {
  test("covers every rule, in order", () => {
    const { register, registered, skipped } = registration();
    transportConformance(register, { ...capabilities, create: memoryFixture });
    expect(idsOf(registered)).toEqual(
      transportRules.flatMap(({ id, applies }) => (applies(capabilities) ? [id] : [])),
    );
    expect(skipped).toEqual([]);
  });

  test("leaves out what a transport declares not to do", () => {
    const { register, registered } = registration();
    transportConformance(register, { create: memoryFixture, announces: false, reconfirms: false });
    const without = transportRules.filter(({ applies }) => applies({ announces: false, reconfirms: false }));
    expect(without.map(({ id }) => id)).not.toContain("announce");
    expect(idsOf(registered)).toEqual(without.map(({ id }) => id));
  });

  test("shows what is skipped, and why", () => {
    const { register, registered, skipped } = registration();
    const skip = { "name-conflict": "names may repeat" };
    transportConformance(register, { ...capabilities, create: memoryFixture, skip });
    expect(skipped).toEqual(["name-conflict: names may repeat"]);
    expect(idsOf(registered)).not.toContain("name-conflict");
  });

  test("does not accept a skip of an unknown rule, or without a reason", () => {
    const { register, registered } = registration();
    const conform = (skip: Readonly<Record<string, string>>) => () =>
      transportConformance(register, { ...capabilities, create: memoryFixture, skip });
    expect(conform({ "no-such-rule": "why not" })).toThrow(/no rule is called "no-such-rule"/);
    expect(conform({ failure: " " })).toThrow(/without a reason/);
    expect(registered).toEqual([]);
  });

  test("rules have ids of their own", () => {
    expect(new Set(transportRules.map(({ id }) => id)).size).toBe(transportRules.length);
  });
});

describe("a fixture that proves nothing is refused", () => {
  test("when it cannot make the medium die", async () => {
    const { fail: _, ...fixture } = await memoryFixture();
    await expect(ruleOf("failure").run(fixture, capabilities)).rejects.toThrow(/no fail\(\)/);
  });

  test("when it has no hostile input", async () => {
    const { hostile: _, ...fixture } = await memoryFixture();
    await expect(ruleOf("hostile-input").run(fixture, capabilities)).rejects.toThrow(/no hostile\(\)/);
    await expect(run("hostile-input", () => ({ hostile: () => [] }))).rejects.toThrow(/brings nothing/);
  });

  test("when it does not count what is sent", async () => {
    await expect(run("cold", () => ({ sent: () => 0 }))).rejects.toThrow(/the fixture counts what is sent/);
  });

  test("when no node appears", async () => {
    for (const id of ["reports", "browses", "sessions", "repeats", "evidence", "slow-consumer", "capacity"]) {
      await expect(
        run(id, () => ({ async appear() {} })),
        id,
      ).rejects.toThrow();
    }
  });

  test("when no node disappears", async () => {
    for (const id of ["evidence", "reconfirm"]) {
      await expect(
        run(id, () => ({ async disappear() {} })),
        id,
      ).rejects.toThrow();
    }
  });
});

describe("what the process holds is noticed", () => {
  const servers: Server[] = [];
  const listen = async (): Promise<void> => {
    const server = createServer();
    servers.push(server);
    await once(server.listen(0, "127.0.0.1"), "listening");
  };

  afterEach(async () => {
    for (const server of servers.splice(0)) {
      if (!server.listening) await once(server, "listening");
      await once(server.close(), "close");
    }
  });

  test("a socket that a factory opens", async () => {
    const opening = ({ transport }: Fixture): Partial<Fixture> => ({
      transport() {
        listen();
        return transport();
      },
    });
    await expect(run("inert", opening)).rejects.toThrow(/opened before the transport was/);
  });

  test("a socket that a session leaves behind", async () => {
    const leaving = ({ transport }: Fixture): Partial<Fixture> => ({
      transport() {
        const inner = transport();
        return { ...inner, open: (...args) => listen().then(() => inner.open(...args)) };
      },
    });
    await expect(run("handles", leaving)).rejects.toThrow(/the process is kept alive/);
  });
});
