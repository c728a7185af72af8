import { type Check, type DiagnosisContext, isIPv6, isLinkLocal } from "@lmserv/discovery-core/transport";

import { isOnLink } from "@lmserv/discovery-network";
import { isOwn, type LinkInterface } from "../link/interfaces.ts";
import { mdnsGroups, mdnsPort } from "../link/link.ts";
import type { askDirectly } from "./direct-question.ts";
import { listen } from "./listening.ts";
import { listSome, type Say } from "./say.ts";
import type { TrialBind } from "./trial-bind.ts";

/** Asking more neighbors proves no more. */
const maxAsked = 32;

/** Reports if sent packets leave this machine, as far as this machine can tell. */
export function* returnChecks(
  { on, link, returned, sendFailures }: TrialBind,
  say: Say,
): Generator<Check, void> {
  for (const family of link?.families ?? []) {
    const packet = `a packet to ${mdnsGroups[family]} on ${on.name}`;
    const failure = sendFailures.get(family);
    if (returned.has(family)) {
      yield say("multicast-returned", { interface: on.name, message: `${packet} left and came back` });
    } else if (failure) {
      const message = `${packet} could not be sent: ${failure.message}`;
      yield say("multicast-not-sent", { interface: on.name, message, fix: ownFirewall });
    } else {
      const message = `${packet} left and did not come back: this machine drops multicast that it should receive itself`;
      yield say("multicast-not-returned", { interface: on.name, message, fix: ownFirewall });
    }
  }
}

const ownFirewall = `let UDP port ${mdnsPort} to ${mdnsGroups.IPv4} and ${mdnsGroups.IPv6} through this machine's own firewall, in and out (firewalld: firewall-cmd --add-service=mdns; ufw: ufw allow ${mdnsPort}/udp)`;

/** Reports if other hosts are heard; if not, whether a known neighbor should have been. */
export async function hearingCheck(
  trial: TrialBind,
  ask: typeof askDirectly,
  context: DiagnosisContext,
  signal: AbortSignal,
  say: Say,
): Promise<Check> {
  const { on, heard } = trial;
  const near = heard.size > 0 ? [] : await neighborsOn(on, context, signal);
  const answered = near.length === 0 ? [] : await ask(near, { ...context, signal });
  // Asked once more by multicast: the neighbors may have no answer to the first question.
  if (answered.length > 0) await listen([trial], answered, context, signal);
  if (heard.size > 0) {
    const message = `mDNS of other hosts is heard on ${on.name}: ${listSome([...heard])}`;
    return say("multicast-heard", { interface: on.name, message });
  }
  if (answered.length > 0) {
    const message = `multicast is dropped between ${on.name} and ${listSome(answered)}: asked directly, mDNS answers there, and no multicast arrives`;
    return say("multicast-dropped", { interface: on.name, message, fix: betweenHosts });
  }
  const who =
    near.length === 0
      ? "no neighbour is known there either: the network may be empty, or multicast may be dropped"
      : `neighbours are known there (${listSome(near)}): none of them speaks mDNS, or multicast is dropped`;
  const message = `no mDNS packet of another host is heard on ${on.name}; ${who}`;
  const fix = `if another host there announces a node, ${betweenHosts}${furtherHelp(context)}`;
  return say("multicast-silent", { interface: on.name, message, fix });
}

function furtherHelp({ moreNeighbors }: DiagnosisContext): string {
  return moreNeighbors ? `; to look for neighbours that could tell: ${moreNeighbors}` : "";
}

async function neighborsOn(
  on: LinkInterface,
  { neighbors }: DiagnosisContext,
  signal: AbortSignal,
): Promise<readonly string[]> {
  return (await neighbors(signal)).filter((address) => isNeighborOn(address, on)).slice(0, maxAsked);
}

const betweenHosts =
  "find the device that drops multicast between the hosts: client isolation or a guest network on the access point, filtering or IGMP snooping on the switch, a VLAN, a virtual machine's or container's bridge; until then use a transport that does without";

function isNeighborOn(address: string, on: LinkInterface): boolean {
  const [bare = "", zone] = address.split("%");
  if (isOwn(bare, on)) return false;
  if (zone !== undefined) return zone === on.name;
  return !(isIPv6(bare) && isLinkLocal(bare)) && isOnLink(bare, on);
}
