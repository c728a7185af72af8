export type { Capabilities, Fixture } from "./conformance/fixture.ts";
export type { TransportRule } from "./conformance/rule.ts";
export {
  type ConformanceOptions,
  type Register,
  transportConformance,
  transportRules,
} from "./conformance.ts";
export { hostileFrames } from "./hostile-frames.ts";
export { type MemoryOptions, memory } from "./memory.ts";
export { type MemoryFixtureOptions, memoryFixture } from "./memory-fixture.ts";
export { MemoryNetwork } from "./memory-network.ts";
export type { Mutant } from "./mutants/mutant.ts";
export { mutants } from "./mutants.ts";
export { seededRandom } from "./seeded-random.ts";
export { VirtualClock } from "./virtual-clock.ts";
