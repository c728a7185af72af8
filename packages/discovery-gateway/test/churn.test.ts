import { createPicker } from "@lmserv/discovery-client";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { nearList } from "@lmserv/test-near";
import { expect, test } from "vitest";
import { Exchange } from "../src/exchange.ts";
import { Surface } from "../src/surface/surface.ts";
import { listen } from "./endpoint.ts";
import { eventSource } from "./event-source.ts";

const hourMs = 3_600_000;
/** Nodes that come in an hour, one after the other. */
const comingPerHour = 20;
/** Nodes that are listed at a time: the oldest leaves when another one comes. */
const residents = 10;

/** Entries that an endpoint keeps. */
interface Kept {
  readonly listed: number;
  readonly series: number;
  readonly traffic: number;
  readonly timers: number;
  readonly connections: number;
}

test("an endpoint keeps no more after a day of churn than after three hours", async () => {
  const clock = new VirtualClock();
  await using near = await nearList(clock);
  const { discovery } = near;
  using ending = aborting();
  const picker = createPicker(discovery.registry, { clock });
  const parts = { discovery, picker, clock, version: "1", examine: null, signal: ending.signal };
  const surface = new Surface(parts);
  await using server = await listen({
    handle: async (request, response) => {
      const exchange = new Exchange(request, response);
      await surface.answerTo(exchange)?.(exchange);
    },
    refuseUpgrade: () => {},
    [Symbol.dispose]: () => surface.end(),
  });
  await using reader = await eventSource(server.port);
  await reader.next();

  let number = 0;
  const port = (id: number): number => 1_024 + (id % 60_000);
  /** Has something happen to nodes, and a request at each, as many times as there are changes. */
  const change = async (happen: () => Promise<void>, id: string, type: string): Promise<void> => {
    await happen();
    surface.traffic.count(id, 200);
    expect((await reader.next()).line).toMatchObject({ type, node: { id } });
  };
  const turn = async (): Promise<void> => {
    number += 1;
    const [came, left] = [`guest-${number}.`, `guest-${number - residents}.`];
    await change(() => near.list({ id: came, port: port(number), info: came }), came, "up");
    const state = number % 2 === 0 ? "busy" : "healthy";
    await change(() => near.check(came, state), came, "updated");
    if (number > residents) await change(() => near.lose(left, "unreachable"), left, "down");
    await clock.advance(hourMs / comingPerHour);
  };
  const keptNow = async (): Promise<Kept> => {
    const { body } = await server.send({ path: "/metrics" });
    return {
      listed: discovery.registry.listAlive().length,
      series: body.split("\n").length,
      traffic: [...surface.traffic.counts()].length,
      timers: clock.pending,
      connections: await server.connections(),
    };
  };

  const hours: Kept[] = [];
  for (let hour = 0; hour < 24; hour += 1) {
    for (let count = 0; count < comingPerHour; count += 1) await turn();
    hours.push(await keptNow());
  }
  // The hour of the one that went first is over.
  expect(hours[2]).toMatchObject({ listed: residents, traffic: residents + comingPerHour - 1 });
  for (const kept of hours.slice(3)) expect(kept).toEqual(hours[2]);
  // A reader that comes now is told of those listed alone.
  await using late = await eventSource(server.port);
  const told = await late.take(1 + residents);
  expect(told.map(({ line }) => line.type)).toEqual(["version", ...Array(residents).fill("up")]);
  expect(told.at(-1)?.id).toMatch(/-\d+$/);
});

function aborting(): AbortController & Disposable {
  const controller = new AbortController();
  return Object.assign(controller, { [Symbol.dispose]: () => controller.abort() });
}
