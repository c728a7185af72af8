import { createDiscovery } from "@lmserv/discovery-core";
import { supervise } from "@lmserv/discovery-core/transport";
import {
  MemoryNetwork,
  memory,
  memoryFixture,
  transportConformance,
  VirtualClock,
} from "@lmserv/discovery-testkit";
import { describe, expect, test } from "vitest";

describe("my transport", () => {
  transportConformance(test, {
    create: () => memoryFixture({ build: (medium) => supervise(memory(medium("memory"))) }),
    announces: true,
    reconfirms: true,
    supervised: true,
  });
});

test("my application finds what is near", async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork();
  await using discovery = await createDiscovery({ transports: [memory({ network })], clock });
  const looking = discovery.discover({ timeoutMs: 3_000 });
  network.appear({ id: "gpu-box", port: 8000, info: "gpu-box-01" });
  await clock.advance(3_000);
  expect((await looking).map((node) => node.info)).toEqual(["gpu-box-01"]);
});
