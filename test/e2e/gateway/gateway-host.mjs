import { createServer } from "node:http";
import { createDiscovery } from "../../../packages/discovery-core/dist/bundle.js";
import { systemClock } from "../../../packages/discovery-core/dist/bundle-transport.js";
import { httpHealth } from "../../../packages/discovery-fingerprint/dist/index.js";
import { createGateway } from "../../../packages/discovery-gateway/dist/index.js";
import { mdns } from "../../../packages/discovery-mdns/dist/bundle.js";

// The local endpoint at 127.0.0.1:8740 with the options that its argument holds as JSON. It checks every node but `b`, which
// stands in for those that are lost. It says each order on its input back once it holds: `hurry` has its time pass twenty
// times as fast, `steady` as usual, `pass MS` waits for so much of that time, and `healthy a,b` until those nodes can serve.

const { ca, key, ...options } = JSON.parse(process.argv[2]);
const trust = ca ? { ca } : {};
const hurried = 20;

/** A clock whose rate changes. */
class RateClock {
  #rate = 1;
  #since = systemClock.now();
  #base = 0;
  #timers = new Set();

  now() {
    return this.#base + (systemClock.now() - this.#since) * this.#rate;
  }

  wall() {
    return systemClock.wall();
  }

  schedule(delayMs, callback) {
    const timer = { dueMs: this.now() + delayMs, callback, cancel: () => {} };
    this.#timers.add(timer);
    this.#arm(timer);
    return () => {
      timer.cancel();
      this.#timers.delete(timer);
    };
  }

  run(rate) {
    this.#base = this.now();
    this.#since = systemClock.now();
    this.#rate = rate;
    for (const timer of this.#timers) {
      timer.cancel();
      this.#arm(timer);
    }
  }

  #arm(timer) {
    timer.cancel = systemClock.schedule(Math.max(0, timer.dueMs - this.now()) / this.#rate, () => {
      this.#timers.delete(timer);
      timer.callback();
    });
  }
}

const clock = new RateClock();
const health = httpHealth({ intervalMs: 250, silentIntervalMs: 50, keyOf: () => key ?? null, ...trust });
const discovery = await createDiscovery({
  transports: [mdns()],
  health: {
    start: (context) =>
      health.start({
        ...context,
        clock,
        follow: (listener) => context.follow((change) => change.node.info === "b" || listener(change)),
      }),
  },
});
// As long as usual when it hurries.
const connectMs = 1_000 * hurried;
const gateway = createGateway(discovery, { ...options, ...trust, clock, connectMs });
createServer((request, response) => void gateway.handle(request, response)).listen(8740, "127.0.0.1");

const wanted = new Set();

function tell() {
  const isHealthy = (name) =>
    discovery.registry
      .listAlive()
      .some((node) => node.info === name && (name === "b" || node.health?.state === "healthy"));
  for (const names of wanted) {
    if (!names.split(",").every(isHealthy)) continue;
    wanted.delete(names);
    console.log(`healthy ${names}`);
  }
}

async function follow() {
  for await (const { kind, node } of discovery.watch()) {
    console.log(JSON.stringify({ kind, info: node.info, state: node.health?.state ?? null }));
    tell();
  }
}

function obey(line) {
  const [order, argument] = line.split(" ");
  if (order === "healthy") {
    wanted.add(argument);
    return tell();
  }
  if (order === "pass") return void clock.schedule(Number(argument), () => console.log(line));
  clock.run(order === "hurry" ? hurried : 1);
  console.log(line);
}

follow();
for await (const text of process.stdin.setEncoding("utf8")) {
  for (const line of text.trim().split("\n")) obey(line);
}
