import type { Host, Process } from "./process.ts";
import { World } from "./world.ts";

/** What a history ended with: nothing, or what is wrong. */
export interface Outcome {
  readonly wrong: string | null;
  readonly messages: number;
}

const faultsMs = { least: 10_000, most: 60_000 };
/** After the last fault; a comparison with each of a few random peers, once a minute, is the slowest way to agree. */
const agreementMs = 300_000;
/** Every process ticks at least so often. */
const maxTickMs = 5_000;
/** Agreement has to last: nobody is dropped again. */
const steadyMs = 20_000;
/** A history takes a thousand or two; more is a storm. */
const maxMessages = 10_000;
/** How late an expiry may be told, on top of its time and that of the last message from author to witness, over two relays. */
const toleranceMs = 500;

/** Makes a small mesh, has random things go wrong for a while, and then waits for all to agree. */
export function runHistory(seed: number): Outcome {
  const world = new World(seed);
  populate(world);
  const endMs = scheduleFaults(world);
  const wrong = play(world, endMs, () => false) ?? settle(world);
  return { wrong, messages: world.messages };
}

/** Has the faults end; returns what is wrong then. */
function settle(world: World): string | null {
  endFaults(world);
  let agreedSinceMs: number | null = null;
  let hasAgreed = false;
  const wrong = play(world, world.agenda.nowMs + agreementMs, (nowMs) => {
    agreedSinceMs = disagreements(world).length > 0 ? null : (agreedSinceMs ?? nowMs);
    hasAgreed = agreedSinceMs !== null && nowMs - agreedSinceMs >= steadyMs;
    return hasAgreed;
  });
  if (wrong !== null || hasAgreed) return wrong;
  return `no agreement ${agreementMs} ms after the faults ended: ${disagreements(world).join("; ")}`;
}

/** Lets time pass until something is wrong, which it returns, or `isDone`. */
function play(world: World, endMs: number, isDone: (nowMs: number) => boolean): string | null {
  const { agenda } = world;
  while (agenda.nowMs < endMs) {
    agenda.runUntil(agenda.nowMs + 1_000);
    const [wrong] = revenants(world);
    if (wrong !== undefined) return wrong;
    if (world.messages > maxMessages) return `more than ${maxMessages} messages were sent`;
    if (isDone(agenda.nowMs)) break;
  }
  return null;
}

function populate(world: World): void {
  const count = 3 + Math.floor(world.random() * 6);
  const first = world.addHost(false, []);
  const seedUrls = [`ws://${first.address}:7946`];
  const second = world.addHost(false, seedUrls);
  if (world.chance(0.5)) seedUrls.push(`ws://${second.address}:7946`);
  for (let index = 2; index < count; index += 1) world.addHost(world.chance(0.25), [...seedUrls]);
  for (const host of world.hosts) {
    world.agenda.at(world.between(0, 5_000), () => startIfDown(world, host));
  }
}

type Fault = (world: World) => void;

const onSomeProcess =
  (act: (world: World, process: Process) => void): Fault =>
  (world) => {
    const process = world.pick(world.processes());
    if (process) act(world, process);
  };

/** Each as likely as the others. */
const faults: readonly Fault[] = [
  (world) => world.breakSomeLink(),
  onSomeProcess((world, process) => world.crash(process)),
  onSomeProcess((world, process) => world.crash(process, true)),
  onSomeProcess((world, process) => restart(world, process, () => world.crash(process))),
  onSomeProcess((world, process) => world.leave(process)),
  onSomeProcess((world, process) => restart(world, process, () => world.leave(process))),
  onSomeProcess((world, process) => world.stall(process, world.between(1_000, 20_000))),
  onSomeProcess((_, process) => process.say()),
  onSomeProcess((world, process) => {
    // Hosts that others have as a seed stay where they are.
    if (world.hosts.indexOf(process.host) >= 2) world.move(process);
  }),
  // Its clock is set, or it slept: it cannot tell, and gives everybody more time at its next tick.
  onSomeProcess((world, process) => {
    process.host.wallOffsetMs += 3_600_000;
    process.lastGrantMs = Math.max(process.lastGrantMs, world.agenda.nowMs + maxTickMs);
  }),
  (world) => {
    const host = world.pick(world.hosts);
    if (host) startIfDown(world, host);
  },
  // The host forgets its epochs, and its clock goes back.
  onSomeProcess((world, process) => {
    restart(world, process, () => world.crash(process));
    process.host.savedEpoch = 0;
    process.host.wallOffsetMs -= 7_200_000;
  }),
  (world) => {
    const [a, b] = [world.pick(world.hosts), world.pick(world.hosts)];
    if (a && b && a !== b) world.cut(a, b);
  },
  (world) => {
    const side = world.hosts.filter(() => world.chance(0.5));
    for (const a of side) for (const b of world.hosts) if (!side.includes(b)) world.cut(a, b);
  },
  (world) => world.heal(),
  (world) => {
    world.faults.loss = world.pick([0, 0.02, 0.2]) ?? 0;
    world.faults.duplication = world.pick([0, 0.05]) ?? 0;
    world.faults.delay = world.pick([0, 0.05]) ?? 0;
  },
];

function scheduleFaults(world: World): number {
  const endMs = world.between(faultsMs.least, faultsMs.most);
  const count = 1 + Math.floor(world.random() * 15);
  for (let index = 0; index < count; index += 1) {
    world.agenda.at(world.between(1_000, endMs), () => world.pick(faults)?.(world));
  }
  return endMs;
}

function endFaults(world: World): void {
  world.heal();
  // Who stands still may have been told to leave meanwhile.
  world.agenda.runUntil(
    Math.max(...world.processes().map(({ stalledUntilMs }) => stalledUntilMs), world.agenda.nowMs),
  );
  Object.assign(world.faults, { loss: 0, duplication: 0, delay: 0 });
  // Somebody has to be there whom the others know: a mesh without its seeds is none.
  for (const host of world.hosts.slice(0, 2)) startIfDown(world, host);
}

function restart(world: World, process: Process, end: () => void): void {
  const { host } = process;
  end();
  world.agenda.at(world.agenda.nowMs + world.between(100, 10_000), () => startIfDown(world, host));
}

function startIfDown(world: World, host: Host): void {
  if (!world.processOn(host)) world.start(host);
}

/** The dead that somebody still lists, though their time is over, or lists again after their goodbye. */
function revenants(world: World): string[] {
  const { agenda, timing, deaths, maxTransitMs, maxQueuedMs } = world;
  const wrongs = world
    .processes()
    .flatMap(({ host, returned }) =>
      returned.map((id) => `${host.name} lists ${nameOf(world, id)} again after its goodbye`),
    );
  for (const { process: dead, atMs } of deaths) {
    for (const witness of world.processes()) {
      const listed = witness.membership.members().find(({ id }) => id === dead.host.id);
      if (listed?.record.instance !== dead.instance) continue;
      // Whoever stood still, or slept, gives everybody one more time.
      const fromMs = Math.max(atMs, witness.lastGrantMs);
      const overMs = agenda.nowMs - (fromMs + timing.ttlMs + 3 * maxTransitMs + maxQueuedMs + toleranceMs);
      if (overMs > 0 && witness.stalledUntilMs <= agenda.nowMs) {
        wrongs.push(`${witness.host.name} lists the dead ${dead.host.name} ${overMs} ms longer than it may`);
      }
    }
  }
  return wrongs;
}

/** Who lists somebody who is not there, or does not list somebody who is. */
function disagreements(world: World): string[] {
  return world.processes().flatMap((witness) => {
    const expected = new Map(
      world.processes().flatMap((other) => (other === witness ? [] : [[other.host.id, other.info]])),
    );
    const missing = [...expected].flatMap(([id, info]) =>
      witness.listed.get(id) === info
        ? []
        : [`${witness.host.name} lacks ${info}, and has ${witness.listed.get(id)}`],
    );
    const surplus = [...witness.listed.keys()].filter((id) => !expected.has(id));
    return [...missing, ...surplus.map((id) => `${witness.host.name} still lists ${nameOf(world, id)}`)];
  });
}

function nameOf(world: World, id: string): string {
  return world.hosts.find((host) => host.id === id)?.name ?? id;
}
