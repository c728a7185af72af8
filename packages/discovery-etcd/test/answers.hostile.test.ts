import { createServer, type Server } from "node:http";
import { systemClock } from "@lmserv/discovery-core/transport";
import { hostileBytes, readsHostile } from "@lmserv/test-hostile";
import fc from "fast-check";
import { EtcdClient } from "../src/client.ts";
import { EtcdError } from "../src/etcd-error.ts";
import { Keyspace } from "../src/keyspace.ts";
import { readSnapshot } from "../src/snapshot.ts";

const keyspace = new Keyspace("/lmserv/", "default");
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const kv = {
  ...{ key: keyspace.keyOf(`${"a".repeat(32)}.${"b".repeat(32)}`), create_revision: "2", mod_revision: "3" },
  ...{ version: "1", value: base64('{"kind":"alive"}\nkey.signature'), lease: "7587862094" },
};
const header = { cluster_id: "14841639068965178418", member_id: "1", revision: "3", raft_term: "2" };
const kvs = [kv, { ...kv, key: keyspace.keyOf("c") }];
/** Also answers the question for the next page: its keys do not ascend. */
const page = JSON.stringify({ header, kvs, more: true, count: "4" });
const lastPage = JSON.stringify({ header, kvs, more: false, count: "2" });
const events = JSON.stringify({
  result: {
    header,
    events: [
      { type: "PUT", kv },
      { type: "DELETE", kv },
    ],
  },
});
const fault = JSON.stringify({ error: "etcdserver: no leader", message: "etcdserver: no leader", code: 14 });
const ended = JSON.stringify({ error: { grpc_code: 11, http_code: 400, message: "compacted" } });

interface Answer {
  readonly status: number;
  readonly bytes: Uint8Array;
}

/** Server that gives the same answer to each question. */
class Stranger {
  readonly #server: Server;
  answer: Answer = { status: 200, bytes: Buffer.alloc(0) };

  constructor() {
    this.#server = createServer((request, response) => {
      request.resume();
      response.writeHead(this.answer.status, { "content-type": "application/json" });
      response.end(this.answer.bytes);
    });
  }

  async listen(): Promise<URL> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    return new URL(`http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`);
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

readsHostile("answers of etcd", {
  inputs: fc.record({
    status: fc.constantFrom(200, 200, 200, 200, 400, 401, 503),
    bytes: hostileBytes(
      fc.constantFrom(page, lastPage, `${events}\n${events}\n`, `${events}\n${ended}`, fault),
    ),
  }),
  maxKept: 10_000,
  everyday: 100,
  open: async () => {
    const stranger = new Stranger();
    const endpoints = [await stranger.listen()];
    const client = new EtcdClient({
      ...{ clock: systemClock, random: () => 0, endpoints, credentials: null, tls: {} },
      timing: { timeoutMs: 60_000, electionMs: 0 },
    });
    const { signal } = new AbortController();
    let kept = 0;
    return {
      kept: () => kept,
      close: () => {
        client.close();
        stranger.close();
      },
      read: async (answer) => {
        stranger.answer = answer;
        await refused(async () => {
          kept = (await readSnapshot(client, keyspace, signal)).entries.length;
        });
        await refused(() => follow(client, signal));
      },
    };
  },
});

/** Reads a watch to its end, which is always a fault. */
async function follow(client: EtcdClient, signal: AbortSignal): Promise<void> {
  for await (const { events: list } of client.streamAt(client.server, "/v3/watch", {}, signal)) {
    for (const event of Array.isArray(list) ? list : []) keyspace.entryOf(event?.kv);
  }
}

async function refused(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof EtcdError)) throw error;
  }
}
