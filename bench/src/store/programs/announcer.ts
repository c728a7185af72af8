import { createInterface } from "node:readline";
import type { Registration } from "@lmserv/discovery-core/transport";
import { open, say, task, transportOf } from "./task.ts";

// Announces `count` nodes called `name-0` and so on, as fast as the store takes them, once it is told to "go"; says
// goodbye when it is told to "leave".

/** As many as wait for their answers at a time. */
const burst = 64;

const session = await open(transportOf(task));
const { announce } = session;
if (!announce) throw new TypeError("a store can announce");
const registrations: Registration[] = [];

async function announceAll(): Promise<void> {
  say({ event: "announcing", name: task.name });
  const numbers = Array.from({ length: task.count }, (_, index) => index).values();
  const worker = async (): Promise<void> => {
    for (const index of numbers) {
      const name = `${task.name}-${index}`;
      const node = { id: name, info: name, port: 8_000, models: ["llama-3.3-70b-instruct-q4"] };
      const registration = await announce?.call(session, node, { signal: new AbortController().signal });
      if (registration) registrations.push(registration);
    }
  };
  await Promise.all(Array.from({ length: Math.min(burst, task.count) }, worker));
  say({ event: "announced", name: task.name });
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line === "go") await announceAll();
  if (line === "leave") {
    say({ event: "announcing", name: task.name });
    await Promise.all(registrations.map((registration) => registration[Symbol.asyncDispose]()));
    break;
  }
}
await session[Symbol.asyncDispose]();
