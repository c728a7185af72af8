import {
  type Cancellable,
  type Check,
  checker,
  type DiagnosisContext,
} from "@lmserv/discovery-core/transport";
import { checks } from "../codes.ts";
import { chooseInterfaces, type InterfaceChoice, listInterfaces, withSiblings } from "../link/interfaces.ts";
import { type Machine, mdnsPort } from "../link/link.ts";
import { askDirectly } from "./direct-question.ts";
import { listen } from "./listening.ts";
import { hearingCheck, returnChecks } from "./multicast-checks.ts";
import { portChecks } from "./port-checks.ts";
import { type PortHolder, readPortHolders } from "./port-holders.ts";
import type { Say } from "./say.ts";
import { TrialBind } from "./trial-bind.ts";

export interface DiagnosisOptions {
  readonly via: string;
  /** Interfaces to use, by name or address. */
  readonly wanted: readonly string[] | undefined;
}

export interface HostAccess {
  readonly portHolders: () => Promise<readonly PortHolder[] | null>;
  readonly askDirectly: typeof askDirectly;
}

export const thisHost: HostAccess = {
  portHolders: () => readPortHolders(mdnsPort),
  askDirectly,
};

/** Examines what keeps multicast DNS from working on this machine. */
export async function* diagnose(
  { via, wanted }: DiagnosisOptions,
  machine: Machine,
  host: HostAccess,
  context: DiagnosisContext,
  { signal }: Cancellable,
): AsyncGenerator<Check, void> {
  const say = checker("mdns", checks, via);
  const all = listInterfaces(machine.system());
  const choice = chooseInterfaces(all, wanted);
  if (!wanted && isAlone(choice)) yield aloneCheck(choice, say);
  yield* interfaceChecks(choice, say);
  if (choice.used.length === 0) return;
  // Read before our own sockets are open.
  const holders = await host.portHolders();
  const used = withSiblings(choice.used);
  const own = new Set(all.flatMap(({ addresses }) => addresses.map(({ address }) => address)));
  const trials = await Promise.all(used.map((on) => TrialBind.open(on, own, machine, context.clock)));
  try {
    for (const { link } of trials) link?.keepOut(all);
    for (const trial of trials) yield* portChecks(trial, holders, say);
    await listen(trials, [], context, signal);
    for (const trial of trials) yield* returnChecks(trial, say);
    const isAble = ({ returned, heard }: TrialBind): boolean => returned.size > 0 || heard.size > 0;
    for (const trial of trials.filter(isAble)) {
      if (!trial.on.loopback) yield await hearingCheck(trial, host.askDirectly, context, signal, say);
    }
  } finally {
    await Promise.all(trials.map((trial) => trial.close()));
  }
}

/** True if loopback is the only interface in use. */
function isAlone({ used }: InterfaceChoice): boolean {
  return used.length > 0 && used.every(({ loopback }) => loopback);
}

function aloneCheck({ used }: InterfaceChoice, say: Say): Check {
  const names = used.map(({ name }) => name).join(", ");
  return say("NO_USABLE_INTERFACE", {
    message: `this machine has no network interface but ${names}: other machines neither find it nor are found`,
    fix: `connect it to a network; to examine this machine alone, name ${names}`,
  });
}

function* interfaceChecks({ used, leftOut }: InterfaceChoice, say: Say): Generator<Check, void> {
  for (const { name, addresses } of used) {
    const message = `mDNS uses ${name} (${addresses.map(({ address }) => address).join(", ")})`;
    yield say("INTERFACE_USED", { interface: name, message });
  }
  for (const { name, reason } of leftOut) {
    const message = `mDNS leaves ${name} out: ${reason}`;
    yield say("INTERFACE_LEFT_OUT", { interface: name, message, fix: "to use it all the same, name it" });
  }
  if (used.length > 0) return;
  yield say("NO_USABLE_INTERFACE", {
    message: "no network interface that mDNS could use has an address",
    fix: "connect this machine to a network, or name another interface",
  });
}
