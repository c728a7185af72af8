import { type Check, toDiscoveryError } from "@lmserv/discovery-core/transport";
import { type Family, familiesOf } from "../link/interfaces.ts";
import { mdnsPort } from "../link/link.ts";
import type { PortHolder } from "./port-holders.ts";
import { listSome, type Say } from "./say.ts";
import type { TrialBind } from "./trial-bind.ts";

/** Reports if the port is available on an interface, and which programs hold it. */
export async function* portChecks(
  trial: TrialBind,
  holders: readonly PortHolder[] | null,
  say: Say,
): AsyncGenerator<Check, void> {
  const { on, refusals, link } = trial;
  for (const [family, error] of refusals) yield refusalCheck(on.name, family, error, holders, say);
  if (!link || refusals.size > 0) return;
  const port = `UDP port ${mdnsPort} on ${on.name}`;
  const near = holders?.filter(({ families }) => families.some((family) => familiesOf(on).includes(family)));
  // If the system does not name the holder, a bind without address reuse shows if there is one.
  const isAlone = near ? near.length === 0 : await link.invite();
  const others = near ? listHolders(near) : "another program";
  yield isAlone
    ? say("port-free", { interface: on.name, message: `no other program uses ${port}` })
    : say("port-shared", { interface: on.name, message: `${port} is shared with ${others}` });
}

function refusalCheck(
  name: string,
  family: Family,
  error: unknown,
  holders: readonly PortHolder[] | null,
  say: Say,
): Check {
  const { code, message } = toDiscoveryError(error, "INTERFACE_UNUSABLE", null);
  const port = `UDP port ${mdnsPort} over ${family} on ${name}`;
  if (code === "ADDRESS_IN_USE") {
    const suspects = suspectsAmong(holders ?? [], family);
    const who = suspects.length > 0 ? listHolders(suspects) : "another program";
    return say("port-taken", {
      interface: name,
      message: `${port} is held by ${who}, without address reuse, so that no other program can share it`,
      fix: `end ${suspects.length > 0 ? "it" : "that program"}, or have it share the port${howToFind(suspects)}`,
    });
  }
  if (code === "PERMISSION_DENIED") {
    const fix = "grant this process, or the terminal that starts it, access to the local network";
    return say("port-denied", { interface: name, message: `${port} is refused: ${message}`, fix });
  }
  const fix = "nothing, if the interface does not matter; else correct its addresses";
  return say("interface-hampered", { interface: name, message: `${port} cannot be used: ${message}`, fix });
}

/** An IPv6 socket may hold the port of both families. */
function suspectsAmong(holders: readonly PortHolder[], family: Family): readonly PortHolder[] {
  const near = holders.filter(({ families }) => families.includes(family));
  return near.length > 0 ? near : holders;
}

function listHolders(holders: readonly PortHolder[]): string {
  return listSome(
    holders.map(({ pid, program, uid }) =>
      pid === null
        ? `a process of user ${uid} that this user may not look into`
        : `${program ?? "a program"} (pid ${pid})`,
    ),
  );
}

function howToFind(suspects: readonly PortHolder[]): string {
  if (suspects.length > 0 && suspects.every(({ pid }) => pid !== null)) return "";
  if (suspects.length > 0) return `; as root, this tells which it is: ss -lunp 'sport = :${mdnsPort}'`;
  return `; this tells which it is: lsof -nP -iUDP:${mdnsPort} (macOS), netstat -ano -p UDP (Windows)`;
}
