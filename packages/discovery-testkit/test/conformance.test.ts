import { compose, supervise } from "@lmserv/discovery-core";
import { memory, memoryFixture, transportConformance } from "@lmserv/discovery-testkit";
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
    skip: { failure: "a supervised transport survives the death of its medium" },
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
    skip: { failure: "supervised members survive the death of their medium" },
  });
});
