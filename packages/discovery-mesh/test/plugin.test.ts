import { describe, expect, test } from "vitest";
import { generateKey, plugin } from "../src/index.ts";

const context = { name: "far-mesh" };

describe("the plug-in", () => {
  test("makes a transport of every option, under the name that it is given", async () => {
    const options = {
      cluster: "lab",
      key: generateKey(),
      seeds: ["ws://10.0.0.1:7946", "dns+srv://mesh.example"],
      listen: ["127.0.0.1:0", "[::1]:7946"],
      advertise: ["ws://10.0.0.2:7946"],
      role: "member",
      tls: { cert: "c", key: "k" },
      ca: "ca",
      tlsOnly: false,
      forcePlain: true,
      stateDirectory: "/tmp/nowhere",
      maxPeers: 16,
      candidates: true,
    };
    const result = await plugin.options["~standard"].validate(options);
    expect(result.issues).toBeUndefined();
    if (result.issues) return;
    expect((await plugin.create(result.value, context)).name).toBe("far-mesh");
  });

  test.each([
    "localhost:7946",
    "10.0.0.1",
    "10.0.0.1:65536",
    "10.0.0.1:",
    "::1:7946",
    "[10.0.0.1]:7946",
    "[::1]",
  ])("cannot listen on %j", async (address) => {
    await expect(plugin.create({ listen: [address] }, context)).rejects.toThrow(
      `listen holds ${JSON.stringify(address)}, which is not an address and a port`,
    );
  });

  test.each([
    [
      { seeds: ["wss://a.test:1", "ws://b.test:2"] },
      'seeds holds "ws://b.test:2", which tlsOnly forbids: write wss://b.test:2 ',
    ],
    [{ advertise: ["ws://10.0.0.2:7946"] }, 'advertise holds "ws://10.0.0.2:7946", which tlsOnly forbids'],
    [{ forcePlain: true }, "tlsOnly and forcePlain exclude each other"],
  ])("with TLS only refuses %j", async (options, message) => {
    await expect(plugin.create({ tlsOnly: true, ...options }, context)).rejects.toThrow(message);
    expect((await plugin.create(options, context)).name).toBe("far-mesh");
  });

  test.each([{ key: "" }, { maxPeers: 1 }, { role: "leader" }, { tls: { cert: "c" } }, { keys: "x" }])(
    "refuses %j",
    async (options) => {
      expect((await plugin.options["~standard"].validate(options)).issues).toHaveLength(1);
    },
  );
});
