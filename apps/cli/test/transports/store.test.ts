import { checker, type Transport } from "@lmserv/discovery-core/transport";
import { memory } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { ownPlugins } from "../../src/config/plugins.ts";
import { Machine } from "../harness.ts";

let machine: Machine;

beforeEach(() => {
  machine = new Machine();
  for (const [name, plugin] of ownPlugins) machine.plugins.set(name, plugin);
});

describe("a mistake about the store of a fleet", () => {
  it.each([
    [
      ["discover", "--endpoint", "http://10.0.0.1:2379"],
      /option '--endpoint' is for the transport etcd or nats/,
    ],
    [
      ["announce", "--port", "1", "--endpoint", "http://10.0.0.1:2379"],
      /option '--endpoint' is for the transport/,
    ],
    [
      ["discover", "--transport", "etcd", "--endpoint", "10.0.0.1"],
      /--endpoint: transports\.etcd .* holds "10\.0\.0\.1", which is not like http:\/\/host:2379/,
    ],
    [["discover", "--transport", "etcd", "--endpoint", "ws://a:1"], /endpoints holds "ws:\/\/a:1"/],
    [["announce", "--port", "1", "--server", "vllm", "--server", "ollama"], /option '--server/],
  ])("%j", async (argv, message) => {
    const code = await machine.start(...argv).ended;
    expect({ code, stdout: machine.stdout.text }).toEqual({ code: 2, stdout: "" });
    expect(machine.stderr.text).toMatch(message);
  });
});

describe("an etcd that is absent", () => {
  it("is what a look ends with", async () => {
    const code = await machine.start("discover", "--transport", "etcd", "--endpoint", "http://127.0.0.1:9")
      .ended;
    expect(code).toBe(3);
    expect(machine.stderr.text).toMatch(
      /etcd: MEDIUM_UNREACHABLE: etcd at http:\/\/127\.0\.0\.1:9: no answer/,
    );
  });

  it("is what the doctor finds, where it was asked for", async () => {
    const code = await machine.start("doctor", "--transport", "etcd", "--endpoint", "http://127.0.0.1:9")
      .ended;
    expect(code).toBe(1);
    expect(machine.stdout.text).toMatch(/^ {2}fail {2}etcd at .*:9: no answer: .* \[etcd\/store-absent\]$/m);
  });

  it("is found beside an mDNS whose doctor asks for neighbours, which arp has no endpoint for", async () => {
    const diagnose: Transport["diagnose"] = async function* ({ neighbors }, { signal }) {
      yield checker("mdns", {}, "mdns")("NOTHING_TO_CHECK", { message: (await neighbors(signal)).join() });
    };
    const neighbors = async (): Promise<string[]> => ["192.0.2.7 is near"];
    const { network } = machine;
    const [mdns, arp] = ["mdns", "arp"].map((name) => memory({ network, name })) as [Transport, Transport];
    machine.plugins.set("mdns", machine.factory({ ...mdns, diagnose }));
    machine.plugins.set("arp", machine.factory(arp, { announces: false, neighbors }));
    const argv = ["--transport", "mdns,etcd", "--endpoint", "http://127.0.0.1:9"];
    expect(await machine.run(2_000, "doctor", "-v", ...argv)).toBe(1);
    expect(machine.stdout.text).toContain("192.0.2.7 is near");
    expect(machine.stdout.text).toContain("[etcd/store-absent]");
  });

  it("is not missed by a doctor whom nobody asked for it", async () => {
    for (const name of ["mdns", "arp"]) machine.plugins.delete(name);
    const { ended } = machine.start("doctor", "-v");
    let code: number | null = null;
    ended.then((result) => {
      code = result;
    });
    await machine.until(() => {
      machine.clock.advance(500);
      return code !== null;
    });
    expect(code).toBe(0);
    expect(machine.stdout.text).toContain("mesh");
    expect(machine.stdout.text).not.toMatch(/etcd|nats/);
  });
});
