import { VirtualClock } from "@lmserv/discovery-testkit";
import { describe, expect, it } from "vitest";
import { AcceptQuota } from "../../src/link/token-bucket.ts";

describe("an accept quota", () => {
  it("lets a burst through, then so many a second", async () => {
    const clock = new VirtualClock();
    const quota = new AcceptQuota(clock, { burst: 3, perSecond: 2 });
    const taken = (): number => {
      let count = 0;
      while (quota.bucket("10.0.0.1").take()) count += 1;
      return count;
    };
    expect(taken()).toBe(3);
    await clock.advance(1_000);
    expect(taken()).toBe(2);
    expect(quota.bucket("10.0.0.2").take()).toBe(true);
    quota.bucket("10.0.0.1").giveBack();
    expect(taken()).toBe(1);
  });

  it("keeps no more than 1,024 addresses, and none that is as good as new", async () => {
    const clock = new VirtualClock();
    const quota = new AcceptQuota(clock, { burst: 1, perSecond: 1 });
    let admitted = 0;
    for (let host = 0; host < 5_000; host += 1) {
      if (quota.bucket(`10.0.${host >> 8}.${host & 255}`).take()) admitted += 1;
    }
    // The others share one bucket.
    expect(admitted).toBe(1_024 + 1);
    await clock.advance(2_000);
    expect(quota.bucket("10.9.9.9").take()).toBe(true);
  });
});
