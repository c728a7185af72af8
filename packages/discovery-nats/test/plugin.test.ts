import { describe, expect, test } from "vitest";
import { testCertificate } from "../../discovery-mesh/test/link/certificate.ts";
import { plugin } from "../src/index.ts";
import { type NatsOptions, nats } from "../src/transport.ts";

const { cert, key } = testCertificate("member");

describe("the plug-in", () => {
  test("makes a transport of every option, under the name that it is given", async () => {
    const options = {
      endpoints: ["nats://10.0.0.1:4222", "tls://nats.example", "10.0.0.2:4222", "[::1]:4222"],
      user: "lmserv",
      password: "secret",
      ca: cert,
      tls: { cert, key },
      replicas: 3,
      inboxPrefix: "_INBOX.lmserv",
      cluster: "lab",
      lifetimeMs: 60_000,
      addresses: ["10.0.0.9"],
    };
    const result = await plugin.options["~standard"].validate(options);
    expect(result.issues).toBeUndefined();
    if (result.issues) return;
    expect((await plugin.create(result.value, { name: "far" })).name).toBe("far");
  });

  test.each([{ endpoints: [] }, { server: "x" }, { replicas: 7 }, { user: "" }, { lifetimeMs: 10 }])(
    "refuses %j",
    async (options) => {
      expect((await plugin.options["~standard"].validate(options)).issues).toHaveLength(1);
    },
  );
});

describe("options that cannot be", () => {
  test.each<[NatsOptions, string]>([
    [{ endpoints: [] }, "nats: endpoints must be a list of 1 to 16, and is []"],
    [
      { endpoints: ["http://10.0.0.1"] },
      'a server must be nats://host:port, tls://host:port or host:port, not "http://10.0.0.1"',
    ],
    [{ endpoints: ["nats://10.0.0.1/x"] }, "a server must be a host and perhaps a port"],
    [{ endpoints: ["nats://u:hunter2@10.0.0.1"] }, "a server must not hold a user or a password"],
    [{ endpoints: ["ftp://u:hunter2@10.0.0.1"] }, "a server must be nats://host:port"],
    [{ replicas: 2 }, "replicas 2 must be 1, 3 or 5"],
    [{ user: "u" }, "user and password are given together, or neither"],
    [{ user: "u", password: "p", token: "t" }, "user and token exclude each other"],
    [{ nkey: "SAAA" }, "nkey holds no seed of a user"],
    [{ credentials: "hunter2" }, "credentials must be the text of a .creds file"],
    [{ tls: { cert, key: "hunter2" } }, "tls.key is no valid PEM"],
    [{ ca: "hunter2" }, "ca is no valid PEM"],
    [{ inboxPrefix: "a b" }, 'inboxPrefix "a b" must be words with dots between them'],
  ])("%j", (options, message) => {
    expect(() => nats(options)).toThrow(message);
    expect(() => nats(options)).not.toThrow("hunter2");
  });
});
