import { compose, standby, supervise } from "@lmserv/discovery-core/transport";
import { MemoryNetwork, memory, memoryFixture, transportConformance } from "@lmserv/discovery-testkit";
import { describe, test } from "vitest";

describe("memory", () => {
  transportConformance(test, { create: memoryFixture, announces: true, reconfirms: true });
});

describe("memory that only browses", () => {
  transportConformance(test, {
    create: () =>
      memoryFixture({
        build: (medium) => memory({ ...medium("memory"), announces: false, reconfirms: false }),
      }),
    announces: false,
    reconfirms: false,
  });
});

describe("compose", () => {
  transportConformance(test, {
    create: () =>
      memoryFixture({
        media: ["left", "right"],
        build: (medium) => compose([memory(medium("left")), memory(medium("right"))]),
      }),
    announces: true,
    reconfirms: true,
  });
});

describe("compose with a member that cannot announce", () => {
  transportConformance(test, {
    create: () =>
      memoryFixture({
        media: ["left", "right"],
        build: (medium) =>
          compose([memory(medium("left")), memory({ ...medium("right"), announces: false })]),
      }),
    announces: true,
    reconfirms: true,
  });
});

describe("supervise", () => {
  transportConformance(test, {
    create: () => memoryFixture({ build: (medium) => supervise(memory(medium("memory"))) }),
    announces: true,
    reconfirms: true,
    supervised: true,
  });
});

describe("a supervised composition", () => {
  transportConformance(test, {
    create: () =>
      memoryFixture({
        media: ["left", "right"],
        build: (medium) => compose([supervise(memory(medium("left"))), supervise(memory(medium("right")))]),
      }),
    announces: true,
    reconfirms: true,
    supervised: true,
  });
});

describe("standby whose first hears", () => {
  transportConformance(test, {
    create: () =>
      memoryFixture({
        media: ["left", "right"],
        build: (medium) => standby(memory(medium("left")), memory({ ...medium("right"), announces: false })),
      }),
    announces: true,
    reconfirms: true,
  });
});

describe("standby whose first is deaf", () => {
  const silent = { announces: false, reconfirms: false };
  transportConformance(test, {
    create: () => {
      const deaf = memory({ network: new MemoryNetwork(), name: "deaf", ...silent });
      return memoryFixture({
        build: (medium) => standby(deaf, memory({ ...medium("memory"), announces: false }), { afterMs: 0 }),
      });
    },
    announces: false,
    reconfirms: true,
    skip: { failure: "the first survives the death of the second's medium" },
  });
});

describe("standby of supervised members", () => {
  transportConformance(test, {
    create: () =>
      memoryFixture({
        media: ["left", "right"],
        build: (medium) => standby(supervise(memory(medium("left"))), supervise(memory(medium("right")))),
      }),
    announces: true,
    reconfirms: true,
    supervised: true,
  });
});
