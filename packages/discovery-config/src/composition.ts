import { compose, type SeenNode, standby, supervise, type Transport } from "@lmserv/discovery-core/transport";
import { isOwnAddress, readSystem } from "@lmserv/discovery-network";
import { primaryType } from "./resolve/preset.ts";
import type { ResolvedTransport } from "./resolve/resolved.ts";

/**
 * Transports for a discovery: those that wait for mDNS become its standby.
 *
 * @param isLocal - Returns true for a node on this machine. @default by the addresses of its interfaces
 */
export function composeConfigured(
  transports: readonly ResolvedTransport[],
  isLocal: (node: SeenNode) => boolean = isOnThisMachine,
): readonly Transport[] {
  const [waiting, always] = [transports.filter(waits), transports.filter((one) => !waits(one))];
  const primary = always.find(({ type }) => type === primaryType);
  const afterMs = waiting[0]?.afterMs ?? null;
  if (!primary || afterMs === null) return transports.map(({ transport }) => transport);
  const secondary = compose(waiting.map(({ transport }) => outlasting(transport)));
  return always.map((one) => {
    if (one !== primary) return one.transport;
    return standby(outlasting(one.transport), secondary, { afterMs, isLocal });
  });
}

function waits({ afterMs }: ResolvedTransport): boolean {
  return afterMs !== null;
}

/** A member that cannot be opened is a warning, and must not keep the other from being opened again. */
function outlasting(transport: Transport): Transport {
  return supervise(transport, { outlasts: () => true });
}

/** The best address decides: others, such as those of container bridges, exist on many machines. */
function isOnThisMachine({ addresses }: SeenNode): boolean {
  const [best] = addresses;
  return best !== undefined && isOwnAddress(best.address, readSystem());
}
