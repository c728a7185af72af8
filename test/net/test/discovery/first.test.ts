import { expect } from "vitest";
import { createLan, startAvahi } from "../../src/index.ts";
import { describeNet, needsPeers } from "../../src/vitest.ts";
import { announce, lmserv } from "./command.ts";

const runs = 5;

async function medianMs(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const startMs = performance.now();
    await run();
    times.push(performance.now() - startMs);
  }
  return times.sort((one, other) => one - other)[Math.floor(runs / 2)] ?? Number.NaN;
}

describeNet("a cold start", () => {
  needsPeers(["avahi"])(
    "has the first node before avahi-browse is done, whose daemon is running",
    async () => {
      await using lan = await createLan({ hosts: 3 });
      const [server, seeker, other] = lan.hosts;
      await announce(server, "--port", "8000", "--info", "the-one", "--no-check");
      const avahi = await startAvahi(other);
      const ours = await medianMs(async () => {
        const { stdout } = await seeker.run(lmserv("discover", "--first"));
        expect(stdout).toContain("the-one");
      });
      const theirs = await medianMs(async () => {
        const found = await avahi.browse();
        expect(found.map(({ txt }) => txt).join()).toContain("the-one");
      });
      expect(ours).toBeLessThanOrEqual(theirs);
    },
    60_000,
  );
});
