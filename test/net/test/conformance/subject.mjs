import { createInterface } from "node:readline";
import { silentLog, systemClock, systemRandom } from "../../../../packages/discovery-core/dist/bundle.js";
import { mdns } from "../../../../packages/discovery-mdns/dist/bundle.js";

// Does with the transport what it is told to, one JSON document per line, and says what happens.

const say = (event) => console.log(JSON.stringify(event));
const context = {
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
  nodes: { listAlive: () => [] },
  report: ({ code, message }) => say({ report: code, message }),
};
const never = new AbortController().signal;
const session = await mdns(JSON.parse(process.argv[2] ?? "{}")).open(context, { signal: never });
const standing = new Map();

const verbs = {
  async announce({ as, node }) {
    standing.set(as, await session.announce({ id: as, info: as, ...node }, { signal: never }));
  },
  async update({ as, node }) {
    await standing.get(as).update({ id: as, info: as, ...node });
  },
  async withdraw({ as }) {
    await standing.get(as)[Symbol.asyncDispose]();
  },
  async browse({ ttlMs }) {
    watch(session.browse({ ttlMs }, { signal: never }));
  },
  async reconfirm({ key }) {
    await session.reconfirm(key, { signal: never });
  },
  async close() {
    await session[Symbol.asyncDispose]();
  },
};

async function watch(observations) {
  for await (const observation of observations) say(observation);
}

say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  try {
    await verbs[order.do](order);
    say({ done: order.do, as: order.as });
  } catch (error) {
    say({ failed: order.do, as: order.as, message: error.message });
  }
}
