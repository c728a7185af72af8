import { expect, test } from "vitest";
import { PlainAnnouncer } from "./plain-announcer.ts";
import { describeNats } from "./servers/describe.ts";
import { NatsServer } from "./servers/server.ts";
import { openSite } from "./site.ts";

const nodes = 600;
const newcomers = 6;

describeNats("a newcomer to a busy bucket", {}, () => {
  test("is told of all that there is before it says that it knows all", async () => {
    await using server = await NatsServer.start();
    await using others = await PlainAnnouncer.make(server.url, "lmserv_tests", 60_000);
    const keys = Array.from({ length: nodes }, (_, index) => `n.${index}`);
    const putAll = () => Promise.all(keys.map((key) => others.kv.put(key, "x".repeat(600))));
    await putAll();
    let isOver = false;
    const renewing = (async () => {
      while (!isOver) await putAll();
    })();
    try {
      for (let count = 0; count < newcomers; count += 1) {
        await using client = await openSite({ endpoints: [server.url], lifetimeMs: 60_000 });
        await client.view.until(({ passes }) => passes > 0);
        expect(client.view.firstSize).toBe(nodes);
      }
    } finally {
      isOver = true;
      await renewing;
    }
  });
});
