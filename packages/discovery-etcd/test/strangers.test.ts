import { expect, test, vi } from "vitest";
import { patience } from "../../discovery-store/test/client.ts";
import { PlainAnnouncer } from "./plain-announcer.ts";
import { describeEtcd } from "./servers/describe.ts";
import { allList, allWarned, Scene } from "./site.ts";

const node = { id: "n", port: 1, info: "good" };

describeEtcd("whoever may write to etcd", { concurrent: true }, () => {
  test("takes no identity by writing over its key, and the owner puts it back", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    // Long enough that no lease expires while a busy machine delays its renewal.
    const clients = await scene.clients(server.url, { lifetimeMs: 15_000 });
    await allList(clients, "a", "b");
    const [first] = clients;
    const own = first.nodes.find(({ self }) => self)?.sources[0]?.key ?? "";
    const announcer = new PlainAnnouncer(server, "default");
    const genuine = (await announcer.list()).get(own);
    const thief = announcer.newHost();
    await announcer.put(own, thief.valueOf({ ...node, id: first.node?.id ?? "", info: "thief" }, "default"));
    await allWarned([first], "NAME_CONFLICT");
    await vi.waitFor(async () => expect((await announcer.list()).get(own)).toBe(genuine), patience);
    await allList(clients, "a", "b");
    expect(clients.flatMap(({ downs }) => downs)).toEqual([]);
  });

  test("keeps nobody listed by that whose owner is gone", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    const announcer = new PlainAnnouncer(server, "default");
    const watcher = await scene.join({ endpoints: [server.url] });
    const host = announcer.newHost();
    await announcer.put(host.keyOf(node), host.valueOf(node, "default"), await announcer.grant(600));
    await allList([watcher], "good");
    await announcer.put(host.keyOf(node), "rubbish", await announcer.grant(600));
    await allList([watcher]);
  });

  test.each<[string, (announcer: PlainAnnouncer) => Promise<void>]>([
    [
      "a record at another's place",
      async (announcer) => {
        const [host, other] = [announcer.newHost(), announcer.newHost()];
        await announcer.put(other.keyOf(node), host.valueOf(node, "default"), await announcer.grant(600));
      },
    ],
    [
      "a record of another fleet",
      async (announcer) => {
        const host = announcer.newHost();
        await announcer.put(host.keyOf(node), host.valueOf(node, "other"), await announcer.grant(600));
      },
    ],
    [
      "a record without a lease",
      async (announcer) => {
        const host = announcer.newHost();
        await announcer.put(host.keyOf(node), host.valueOf(node, "default"));
      },
    ],
    [
      "a record that was changed",
      async (announcer) => {
        const host = announcer.newHost();
        const changed = host.valueOf(node, "default").replace("good", "evil");
        await announcer.put(host.keyOf(node), changed, await announcer.grant(600));
      },
    ],
    [
      "a megabyte",
      async (announcer) => announcer.put("big", Buffer.alloc(1_000_000, "x"), await announcer.grant(600)),
    ],
    [
      "no text",
      async (announcer) =>
        announcer.put("\u{10ffff}\n", Buffer.from([0xff, 0xfe, 0x00]), await announcer.grant(600)),
    ],
  ])("gets nobody listed by %s, neither at once nor from the start", async (_, write) => {
    await using scene = new Scene();
    const server = await scene.etcd();
    const announcer = new PlainAnnouncer(server, "default");
    const early = await scene.join({ endpoints: [server.url] });
    await write(announcer);
    await announcer.appear({ ...node, info: "last" });
    const late = await scene.join({ endpoints: [server.url] });
    await allList([early, late], "last");
  });

  test("takes back nothing that a node said by writing it again", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    const announcer = new PlainAnnouncer(server, "default");
    const watcher = await scene.join({ endpoints: [server.url] });
    const [host, lease, ttlMs] = [announcer.newHost(), await announcer.grant(600), 60_000];
    const older = host.valueOf({ ...node, info: "older" }, "default", { ttlMs });
    await announcer.put(
      host.keyOf(node),
      host.valueOf({ ...node, info: "newer" }, "default", { ttlMs }),
      lease,
    );
    await allList([watcher], "newer");
    await announcer.put(host.keyOf(node), older, lease);
    await announcer.appear({ id: "m", port: 2, info: "last" });
    await allList([watcher], "newer", "last");
  });

  test("does not crowd out others by twenty huge values", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    const announcer = new PlainAnnouncer(server, "default");
    const lease = await announcer.grant(600);
    for (let count = 0; count < 20; count += 1)
      await announcer.put(`${count}`, Buffer.alloc(1_500_000, "x"), lease);
    await announcer.appear(node);
    await allList([await scene.join({ endpoints: [server.url] })], "good");
  });
});
