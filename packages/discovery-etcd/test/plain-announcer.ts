import type { ResolvedAnnouncement } from "@lmserv/discovery-core/transport";
import { PlainHost } from "../../discovery-store/test/plain-host.ts";
import type { EtcdServer } from "./servers/server.ts";

/** Nodes of independent hosts, in one cluster of a real etcd. */
export class PlainAnnouncer {
  readonly #server: EtcdServer;
  readonly #hosts = new Map<number, { readonly host: PlainHost; readonly lease: string }>();
  readonly cluster: string;

  constructor(server: EtcdServer, cluster: string) {
    this.#server = server;
    this.cluster = cluster;
  }

  /** @param seconds - Lifetime without a renewal. */
  async appear(node: ResolvedAnnouncement, seconds = 600): Promise<void> {
    const known = this.#hosts.get(node.port) ?? { host: new PlainHost(), lease: await this.grant(seconds) };
    this.#hosts.set(node.port, known);
    await this.put(known.host.keyOf(node), known.host.valueOf(node, this.cluster), known.lease);
  }

  async disappear({ port }: ResolvedAnnouncement): Promise<void> {
    const known = this.#hosts.get(port);
    this.#hosts.delete(port);
    if (known) await this.#server.ask("/v3/lease/revoke", { ID: known.lease });
  }

  async grant(seconds: number): Promise<string> {
    const { ID } = await this.#server.ask("/v3/lease/grant", { TTL: seconds });
    return String(ID);
  }

  async put(key: string, value: string | Uint8Array, lease: string = "0"): Promise<void> {
    await this.#server.ask("/v3/kv/put", {
      key: this.#path(key),
      value: Buffer.from(value).toString("base64"),
      lease,
    });
  }

  async remove(key: string): Promise<void> {
    await this.#server.ask("/v3/kv/deleterange", { key: this.#path(key) });
  }

  /** Every key of the cluster with its value. */
  async list(): Promise<ReadonlyMap<string, string>> {
    const { kvs = [] } = await this.#server.ask("/v3/kv/range", {
      key: this.#path(""),
      range_end: Buffer.from(`/lmserv/${this.cluster}0`).toString("base64"),
    });
    const text = (base64: string): string => Buffer.from(base64, "base64").toString();
    return new Map(
      (kvs as { key: string; value: string }[]).map(({ key, value }) => [
        text(key).slice(`/lmserv/${this.cluster}/`.length),
        text(value),
      ]),
    );
  }

  newHost(): PlainHost {
    return new PlainHost();
  }

  #path(key: string): string {
    return Buffer.from(`/lmserv/${this.cluster}/${key}`).toString("base64");
  }
}
