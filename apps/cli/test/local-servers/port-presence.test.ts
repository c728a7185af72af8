import { expect, test } from "vitest";
import { type BoundPort, PortPresence } from "../../src/local-servers/port-presence.ts";

const ollama: BoundPort = { port: 11_434, generation: "1" };
const llama: BoundPort = { port: 8_080, generation: "2" };

test("a port that opens is told once, and again when it closed", () => {
  const presence = new PortPresence();
  expect(presence.look([ollama], 0)).toEqual([{ kind: "opened", port: 11_434 }]);
  expect(presence.look([ollama], 1_000)).toEqual([]);
  expect(presence.look([ollama, llama], 2_000)).toEqual([{ kind: "opened", port: 8_080 }]);
});

test("a port is closed when it is missing for 1.9 s, not before", () => {
  const presence = new PortPresence();
  presence.look([ollama, llama], 0);
  expect(presence.look([llama], 1_000)).toEqual([]);
  expect(presence.isWaiting).toBe(true);
  expect(presence.look([llama], 1_899)).toEqual([]);
  expect(presence.look([llama], 1_900)).toEqual([{ kind: "closed", port: 11_434 }]);
  expect(presence.isWaiting).toBe(false);
  expect(presence.look([llama], 3_000)).toEqual([]);
});

test("a server that is back in time was restarted", () => {
  const presence = new PortPresence();
  presence.look([ollama], 0);
  presence.look([], 1_000);
  expect(presence.look([{ ...ollama, generation: "9" }], 1_500)).toEqual([
    { kind: "restarted", port: 11_434 },
  ]);
  expect(presence.isWaiting).toBe(false);
});

test("a server that is restarted between two looks is told by its socket", () => {
  const presence = new PortPresence();
  presence.look([ollama], 0);
  expect(presence.look([{ ...ollama, generation: "9" }], 1_000)).toEqual([
    { kind: "restarted", port: 11_434 },
  ]);
});
