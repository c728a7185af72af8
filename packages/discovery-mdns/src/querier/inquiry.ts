import { isIPv6 } from "@lmserv/discovery-core";
import type { Name } from "../dns/name.ts";
import { recordTypes } from "../dns/record.ts";
import { addressesOf, type Family, familyOf } from "../link/interfaces.ts";
import type { Link } from "../link/link.ts";
import type { Ask } from "./ask.ts";
import type { Hosts } from "./hosts.ts";
import type { Instance } from "./instance.ts";

/** So many questions for a sign of life go over one family only; then that one may be what fails. */
const frugalAsks = 2;
/** How long the IPv4 address of a host that was heard over IPv6 is waited for, in ms. */
export const patienceMs = 500;

/** What one link knows at a moment. */
export interface View {
  readonly link: Link;
  readonly hosts: Hosts<Instance>;
  /** How long a sign of life counts, at most. */
  readonly ttlMs: number;
  readonly nowMs: number;
}

/** Whether nothing is missing that a node is made of. */
export function isComplete(instance: Instance, view: View): boolean {
  const { location, text } = instance;
  if (!location || !text || awaitsIPv4(instance, view)) return false;
  return view.hosts.knowsUntil(location.target, view.nowMs);
}

/**
 * Whether an IPv4 address is still likely to come.
 *
 * Some hosts tell over IPv6 of their IPv6 addresses only. A node without an identity has that of its best
 * address, and would become another one when the better address came.
 */
export function awaitsIPv4({ firstMs, location, text }: Instance, { link, hosts, nowMs }: View): boolean {
  const isEarly = nowMs < firstMs + patienceMs;
  if (!isEarly || !location || text?.description.id) return false;
  if (addressesOf(link.interface, "IPv4").length === 0) return false;
  return hosts.addressesOf(location.target, nowMs).every(isIPv6);
}

/** Whether an instance is asked for a sign of life only, and not in a series whose intervals double. */
export function isRefreshed(instance: Instance, view: View): boolean {
  return !instance.doubted && (!instance.resolving || isComplete(instance, view));
}

/** What is to be asked about an instance whose time has come. */
export function questionsFor(instance: Instance, view: View): Ask[] {
  const { name, location, text } = instance;
  const neededMs = view.nowMs + view.ttlMs;
  const over = familiesFor(instance, view);
  const questions: Ask[] = [];
  const isLocated = location !== null && !instance.doubted && !isRefreshed(instance, view);
  if (!isLocated) questions.push({ name, type: recordTypes.SRV, over });
  // With the sign of life: a packet to this host alone may have brought a text of which the owner knows nothing.
  if (!isLocated || !text || text.untilMs < neededMs) questions.push({ name, type: recordTypes.TXT, over });
  const isReachable = location && view.hosts.knowsUntil(location.target, neededMs);
  if (location && (!isReachable || awaitsIPv4(instance, view))) {
    const types = [recordTypes.A, recordTypes.AAAA];
    questions.push(...types.map((type) => ({ name: location.target, type, over })));
  }
  return questions;
}

/** A sign of life over one family is enough, unless it fails to come or addresses of the other run out. */
function familiesFor(instance: Instance, view: View): readonly Family[] {
  const { families } = view.link;
  const { location, latestSources, unanswered, wasRefreshed } = instance;
  if (!location || !isRefreshed(instance, view) || unanswered >= frugalAsks) return families;
  if (!wasRefreshed && isHalfProven(instance, location.target, view)) return families;
  const addressEndMs = view.hosts.nextEndMs(location.target, view.nowMs) ?? view.nowMs;
  if (addressEndMs < view.nowMs + view.ttlMs) return families;
  const spoken = families.filter((family) => latestSources.some((source) => familyOf(source) === family));
  return spoken.slice(0, 1);
}

/** Whether it announces addresses of a family over which it was never heard: only a packet proves them its own. */
function isHalfProven({ sources }: Instance, target: Name, { hosts, nowMs }: View): boolean {
  const announced = hosts.addressesOf(target, nowMs).map(familyOf);
  return announced.some((family) => sources.every((source) => familyOf(source) !== family));
}
