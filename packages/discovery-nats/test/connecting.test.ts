import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server } from "node:net";
import { fileURLToPath } from "node:url";
import type { DiscoveryError } from "@lmserv/discovery-core";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, nkeys } from "@nats-io/transport-node";
import { expect, test } from "vitest";
import { testCertificate } from "../../discovery-mesh/test/link/certificate.ts";
import { freePort } from "../../discovery-store/test/free-port.ts";
import type { NatsStoreOptions } from "../src/settings.ts";
import { natsStore } from "../src/store.ts";
import { NatsCluster } from "./servers/cluster.ts";
import { describeNats } from "./servers/describe.ts";
import { operatorMode } from "./servers/operator-mode.ts";
import { NatsServer } from "./servers/server.ts";
import { contextOf, openSite } from "./site.ts";

/** Error of connecting. */
async function refusal(options: NatsStoreOptions): Promise<DiscoveryError> {
  const store = natsStore(options);
  const signal = new AbortController().signal;
  const outcome = await store
    .connect(
      contextOf(12_000, () => {}),
      { signal },
    )
    .then(
      async (connection) => {
        await connection[Symbol.asyncDispose]();
        throw new Error("it connected");
      },
      (error: DiscoveryError) => error,
    );
  return outcome;
}

async function listening(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return `127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
}

/** Server that only greets and answers pings. */
function greeter(info: object): Server {
  return createServer((socket) => {
    socket.on("error", () => {});
    socket.write(
      `INFO ${JSON.stringify({ server_id: "x", max_payload: 1_048_576, headers: true, ...info })}\r\n`,
    );
    socket.on("data", () => socket.write("PONG\r\n"));
  });
}

describeNats("connecting", { concurrent: true }, () => {
  test("says that nobody listens", async () => {
    const port = await freePort();
    expect(await refusal({ endpoints: [`127.0.0.1:${port}`] })).toMatchObject({
      code: "MEDIUM_UNREACHABLE",
      via: "nats",
      message: `NATS at 127.0.0.1:${port} is not there, nothing listens: start nats-server, or correct the server's name`,
    });
  });

  test("says that something else listens", async () => {
    const ssh = createServer((socket) => socket.on("error", () => {}).end("SSH-2.0-OpenSSH_9.2\r\n"));
    const place = await listening(ssh);
    expect(await refusal({ endpoints: [place] })).toMatchObject({
      code: "TRANSPORT_UNAVAILABLE",
      message: `NATS at ${place} is no NATS server: something else listens there`,
    });
    ssh.close();
  });

  test("says that somebody who listens does not answer", async () => {
    const web = createHttpServer();
    const place = await listening(web);
    expect(await refusal({ endpoints: [place] })).toMatchObject({
      code: "MEDIUM_UNREACHABLE",
      message: `NATS at ${place} does not answer in time`,
    });
    web.close();
  });

  test("says that the server is too old", async () => {
    const old = greeter({ version: "2.8.4", proto: 1, jetstream: true });
    const place = await listening(old);
    expect(await refusal({ endpoints: [place] })).toMatchObject({
      code: "TRANSPORT_UNAVAILABLE",
      message: `NATS at ${place} is release 2.8.4, which is too old: 2.9.0 or later is needed`,
    });
    old.close();
  });

  test("says that there is no JetStream", async () => {
    await using server = await NatsServer.start({ data: null });
    expect(await refusal({ endpoints: [server.url] })).toMatchObject({
      code: "TRANSPORT_UNAVAILABLE",
      message: `NATS at 127.0.0.1:${server.port} has no JetStream, which keeps the values: start it with --jetstream, and enable it for our account`,
    });
  });

  test("refuses a bucket that keeps the dead", async () => {
    await using server = await NatsServer.start();
    const { PlainAnnouncer } = await import("./plain-announcer.ts");
    await using _ = await PlainAnnouncer.make(server.url, "lmserv_tests", 0);
    expect(await refusal({ endpoints: [server.url] })).toMatchObject({
      code: "TRANSPORT_UNAVAILABLE",
      message: expect.stringContaining("keeps values for ever"),
    });
  });

  test("makes one bucket where many come to a new server at once", async () => {
    await using server = await NatsServer.start();
    const clients = await Promise.all(
      Array.from({ length: 12 }, () => openSite({ endpoints: [server.url], lifetimeMs: 12_000 })),
    );
    expect(clients.flatMap(({ reports }) => reports)).toEqual([]);
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  });

  test("says that another stream has the subjects of the bucket", async () => {
    await using server = await NatsServer.start();
    const observer = await connect({ servers: server.url });
    const { streams } = await jetstreamManager(observer);
    await streams.add({ name: "everything", subjects: ["$KV.lmserv_tests.>"] });
    expect(await refusal({ endpoints: [server.url] })).toMatchObject({
      code: "TRANSPORT_UNAVAILABLE",
      message: expect.stringContaining("subjects overlap with an existing stream"),
    });
    await observer.close();
  });

  test("says that more replicas are wanted than there are servers", async () => {
    await using server = await NatsServer.start();
    expect(await refusal({ endpoints: [server.url], replicas: 3 })).toMatchObject({
      code: "TRANSPORT_UNAVAILABLE",
      message: expect.stringContaining("replicas > 1 not supported in non-clustered mode"),
    });
  });

  test("waits for servers that its replicas lack", async () => {
    await using cluster = await NatsCluster.start(2);
    expect(await refusal({ endpoints: cluster.urls, replicas: 3 })).toMatchObject({
      code: "MEDIUM_UNREACHABLE",
      message: expect.stringContaining("start the servers that are missing"),
    });
  });

  test("stops at once when it is called off", async () => {
    await using server = await NatsServer.start();
    const reason = new Error("called off");
    const calling = new AbortController();
    const opening = natsStore({ endpoints: [server.url] }).connect(
      contextOf(12_000, () => {}),
      calling,
    );
    calling.abort(reason);
    await expect(opening).rejects.toBe(reason);
  });
});

describeNats("logging in", { concurrent: true }, () => {
  const users = (text: string): string => `authorization { ${text} }`;

  test.each([
    [
      "a password",
      users(`user: "u", password: "p"`),
      { user: "u", password: "p" },
      { user: "u", password: "x" },
    ],
    ["a token", users(`token: "t"`), { token: "t" }, { token: "x" }],
  ])("by %s", async (_, config, right, wrong) => {
    await using server = await NatsServer.start({ config });
    await using client = await openSite({ endpoints: [server.url], ...right });
    await client.view.lists([]);
    for (const options of [wrong, {}]) {
      const error = await refusal({ endpoints: [server.url], ...options });
      expect(`${error.code} ${error.message}`).toMatch(
        /^PERMISSION_DENIED .* refuses us: check the user and password/,
      );
    }
  });

  test("by an NKey", async () => {
    const [ours, theirs] = [nkeys.createUser(), nkeys.createUser()];
    const seed = (key: typeof ours): string => new TextDecoder().decode(key.getSeed());
    await using server = await NatsServer.start({
      config: users(`users: [ { nkey: ${ours.getPublicKey()} } ]`),
    });
    await using client = await openSite({ endpoints: [server.url], nkey: `${seed(ours)}\n` });
    await client.view.lists([]);
    expect((await refusal({ endpoints: [server.url], nkey: seed(theirs) })).code).toBe("PERMISSION_DENIED");
  });

  test("by a credentials file", async () => {
    const { config, credentials } = operatorMode();
    await using server = await NatsServer.start({ config });
    await using client = await openSite({ endpoints: [server.url], credentials });
    await client.view.lists([]);
    expect((await refusal({ endpoints: [server.url] })).code).toBe("PERMISSION_DENIED");
    const stranger = operatorMode().credentials;
    expect((await refusal({ endpoints: [server.url], credentials: stranger })).code).toBe(
      "PERMISSION_DENIED",
    );
  });
});

describeNats("over TLS", { concurrent: true }, () => {
  const { cert, key } = testCertificate("member");
  const stranger = testCertificate("relay");
  const files = fileURLToPath(new URL("../../discovery-mesh/test/link/certificates/", import.meta.url));
  const config = (more = ""): string =>
    `tls { cert_file: "${files}test-only-member.cert.pem", key_file: "${files}test-only-member.key.pem" ${more} }`;

  test("trusts whom it is told to, and nobody else", async () => {
    await using server = await NatsServer.start({ config: config() });
    const endpoints = [`tls://127.0.0.1:${server.port}`];
    await using client = await openSite({ endpoints, ca: cert });
    await client.view.lists([]);
    for (const options of [{}, { ca: stranger.cert }]) {
      const error = await refusal({ endpoints, ...options });
      expect(error.code).toBe("TRANSPORT_UNAVAILABLE");
      expect(error.message).toContain("give the authority of its certificate");
    }
  });

  test("shows its own certificate to a server that asks for one", async () => {
    const asks = config(`, ca_file: "${files}test-only-member.cert.pem", verify: true`);
    await using server = await NatsServer.start({ config: asks });
    await using client = await openSite({ endpoints: [server.url], ca: cert, tls: { cert, key } });
    await client.view.lists([]);
    await refusal({ endpoints: [server.url], ca: cert });
  });

  test("does not speak in the clear where it should not", async () => {
    await using server = await NatsServer.start();
    const error = await refusal({ endpoints: [`tls://127.0.0.1:${server.port}`] });
    expect(error.message).toContain("speaks in the clear only");
  });
});
