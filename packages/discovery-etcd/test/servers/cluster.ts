import { freePort } from "../../../discovery-store/test/free-port.ts";
import { EtcdServer } from "./server.ts";

/** Three servers of etcd that keep one store together. */
export class EtcdCluster implements AsyncDisposable {
  readonly servers: readonly EtcdServer[];

  static async start(): Promise<EtcdCluster> {
    const peers = await Promise.all(["a", "b", "c"].map(async (name) => ({ name, port: await freePort() })));
    const members = peers.map(({ name, port }) => `${name}=http://127.0.0.1:${port}`).join();
    const start = ({ name, port }: (typeof peers)[number]): Promise<EtcdServer> =>
      EtcdServer.start({ peerPort: port, flags: ["--name", name, "--initial-cluster", members] });
    return new EtcdCluster(await Promise.all(peers.map(start)));
  }

  private constructor(servers: readonly EtcdServer[]) {
    this.servers = servers;
  }

  get endpoints(): readonly string[] {
    return this.servers.map(({ url }) => url);
  }

  /** Leading server, and the others. */
  async ranks(): Promise<{ readonly leader: EtcdServer; readonly followers: readonly EtcdServer[] }> {
    const leads = await Promise.all(
      this.servers.map(async (server) => {
        const { header, leader } = await server.ask("/v3/maintenance/status", {});
        return (header as { member_id?: unknown }).member_id === leader;
      }),
    );
    const [leader] = this.servers.filter((_, index) => leads[index]);
    if (!leader) throw new Error("nobody leads");
    return { leader, followers: this.servers.filter((server) => server !== leader) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
  }
}
