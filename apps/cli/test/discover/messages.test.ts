import { readFileSync } from "node:fs";
import { DiscoveryError } from "@lmserv/discovery-core";
import type { Transport, TransportPlugin } from "@lmserv/discovery-core/transport";
import { MemoryNetwork, memory } from "@lmserv/discovery-testkit";
import { expect, test } from "vitest";
import { Machine } from "../harness.ts";

const page = readFileSync(new URL("../../../../docs/messages.md", import.meta.url), "utf8");
const rows = [...page.matchAll(/^\| (?!Situation|-)(.*?) +\| `(.*)` +\|$/gm)].map(
  ([, situation = "", message = ""]) => ({ situation, message }),
);
const box = { id: "box", port: 8000, info: "box", server: "vllm" };

/** Adds a transport that hears no other host. */
function silence(machine: Machine, name: string, declared: Partial<TransportPlugin> = {}): void {
  const inner = memory({ network: new MemoryNetwork(), name });
  const transport: Transport = {
    name,
    async open(context, options) {
      context.report(new DiscoveryError("NO_ANSWER", "nothing answered", { via: name }));
      return inner.open(context, options);
    },
  };
  machine.plugins.set(name, machine.factory(transport, declared));
}

function addArp(machine: Machine): void {
  const arp = memory({ network: machine.network, name: "arp" });
  machine.plugins.set("arp", machine.factory(arp, { announces: false }));
}

function configure(machine: Machine): void {
  machine.files.set("/home/me/lmserv.config.jsonc", JSON.stringify({ version: 1, transports: { mdns: {} } }));
}

async function loseAndRecover(machine: Machine): Promise<void> {
  const { signal, ended } = machine.start("discover", "--watch");
  await machine.until(() => machine.network.sent > 0);
  machine.network.fail();
  await machine.clock.advance(10_000);
  machine.network.restore();
  await machine.clock.advance(10_000);
  signal("SIGINT");
  await ended;
}

/** Makes each situation, in the order of the page. */
const situations: readonly ((machine: Machine) => Promise<unknown>)[] = [
  (machine) => machine.run(3_000, "discover"),
  (machine) => machine.run(3_000, "discover"),
  (machine) => {
    machine.network.appear(box);
    return machine.run(3_000, "discover", "--server", "ollama");
  },
  (machine) => {
    machine.network.appear(box);
    return machine.run(3_000, "discover", "--wait", "2");
  },
  (machine) => {
    addArp(machine);
    silence(machine, "mdns");
    return searched(machine, "discover");
  },
  (machine) => {
    addArp(machine);
    silence(machine, "mesh", { keygen: { about: "Prepare.", generate: async () => "key" } });
    return searched(machine, "discover", "--transport", "mesh");
  },
  (machine) => {
    addArp(machine);
    silence(machine, "mdns");
    return searched(machine, "discover", "--preset", "office", "--timeout", "3s");
  },
  (machine) => {
    machine.network.refuse("PERMISSION_DENIED");
    return machine.start("discover").ended;
  },
  (machine) => {
    configure(machine);
    return machine.run(3_000, "discover");
  },
  loseAndRecover,
  loseAndRecover,
  loseAndRecover,
  (machine) => {
    configure(machine);
    return machine.run(3_000, "doctor");
  },
];

/** Runs a search to its end on a network that only its transport sees. */
async function searched(machine: Machine, ...argv: readonly string[]): Promise<void> {
  const { ended } = machine.start(...argv);
  const state = { isEnded: false };
  ended.finally(() => {
    state.isEnded = true;
  });
  await machine.until(() => machine.made.length > 0);
  await machine.until(() => {
    machine.clock.advance(1_000);
    return state.isEnded;
  });
}

test("the page has a row for each situation", () => {
  expect(rows).toHaveLength(situations.length);
});

test.each(rows.map((row, index) => ({ ...row, index })))("$situation", async ({ message, index }) => {
  const machine = new Machine();
  await situations[index]?.(machine);
  const pattern = message
    .split("…")
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join(".+");
  const found = machine.stderr.lines.filter((line) => new RegExp(`^lmserv: ${pattern}$`).test(line));
  expect(found, machine.stderr.text).not.toEqual([]);
  if (message.endsWith("NO_ANSWER: …")) expect(machine.stderr.text).not.toContain("--sweep");
});
