import type { ListedInterfaces, System } from "@lmserv/discovery-network";

const loopback: readonly string[] = ["127.0.0.1", "::1"];
/** Bound of an announcement: an unchecked address is not announced. */
const maxOwnAddresses = 256;

/** True if `choice` names an interface of this machine, or is one of its addresses. */
export function isKnownInterface(choice: string, interfaces: ListedInterfaces): boolean {
  return Object.keys(interfaces).includes(choice) || addressesOf(interfaces).includes(choice);
}

/** List such as `lo (127.0.0.1, ::1), eth0 (192.0.2.7)`. */
export function listInterfaces(interfaces: ListedInterfaces): string {
  const entries = Object.keys(interfaces).map(
    (name) => `${name} (${addressesOf(interfaces, [name]).join(", ")})`,
  );
  return entries.join(", ") || "no interface with an address";
}

/** Addresses on which a server of this machine may listen, loopback first. */
export function ownAddresses(interfaces: ListedInterfaces): readonly string[] {
  return [...new Set([...loopback, ...addressesOf(interfaces)])].slice(0, maxOwnAddresses);
}

/** Scope of announcements on every interface, for messages. */
export function everywhere({ interfaces }: System): string {
  if (interfaces.some(({ kind }) => kind !== "loopback")) return "every interface";
  const names = interfaces.map(({ name }) => name).join(", ");
  return `${names || "no interface"}, which other machines do not hear: this one has no other network interface`;
}

/** Present addresses of the chosen interfaces; an address stands for itself. */
export function chosenAddresses(choices: readonly string[], interfaces: ListedInterfaces): readonly string[] {
  const names = choices.filter((choice) => Object.hasOwn(interfaces, choice));
  const addresses = addressesOf(interfaces).filter((address) => choices.includes(address));
  return [...new Set([...addressesOf(interfaces, names), ...addresses])];
}

/** True if announcements on the chosen interfaces (none: on all) stay on this machine. */
export function staysOnMachine(choices: readonly string[], interfaces: ListedInterfaces): boolean {
  const chosen = Object.entries(interfaces).filter(
    ([name]) =>
      choices.length === 0 ||
      choices.some((choice) => isKnownInterface(choice, { [name]: interfaces[name] })),
  );
  return chosen.every(([, infos]) => infos?.every((info) => info.internal));
}

/** IPv6 link-local addresses carry the zone that makes them usable. */
function addressesOf(interfaces: ListedInterfaces, names = Object.keys(interfaces)): readonly string[] {
  return names.flatMap((name) =>
    (interfaces[name] ?? []).map((info) =>
      info.family === "IPv6" && info.scopeid > 0 ? `${info.address}%${name}` : info.address,
    ),
  );
}
