import { createLan, type Lan } from "@lmserv/test-netlab";
import { type PeerHost, type PeerName, settle } from "./peer.ts";

/** A LAN with one host per peer. Disposal ends all that runs there. */
export interface Site extends AsyncDisposable {
  readonly lan: Lan;
  /** In the order asked for. */
  readonly hosts: readonly PeerHost[];
}

export async function openSite(peers: readonly PeerName[]): Promise<Site> {
  const lan: Lan = await createLan({ hosts: peers.length });
  const dispose = (): PromiseLike<void> => lan[Symbol.asyncDispose]();
  try {
    const settling = lan.hosts.flatMap((host, index) => {
      const peer = peers[index];
      return peer === undefined ? [] : [settle(peer, host)];
    });
    return { lan, hosts: await Promise.all(settling), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Several that end together. */
export async function openSites(
  plans: readonly (readonly PeerName[])[],
): Promise<AsyncDisposable & { readonly all: readonly Site[] }> {
  const opened = await Promise.allSettled(plans.map((peers) => openSite(peers)));
  const all = opened.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const dispose = async (): Promise<void> => {
    await Promise.all(all.map((site) => site[Symbol.asyncDispose]()));
  };
  const failed = opened.find((outcome) => outcome.status === "rejected");
  if (failed) {
    await dispose();
    throw failed.reason;
  }
  return { all, [Symbol.asyncDispose]: dispose };
}
