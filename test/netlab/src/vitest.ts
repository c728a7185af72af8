import { describe, test } from "vitest";
import { missingPeers, type PeerName } from "./peers/requirements.ts";
import { lanSupport } from "./support.ts";

const peerNames = [
  "python",
  "python-zeroconf",
  "avahi",
  "etcd",
  "nats",
  "prometheus",
  "caddy",
  "chromium",
] as const;
const support = await lanSupport();
const missing = new Map(
  await Promise.all(peerNames.map(async (peer) => [peer, await missingPeers([peer])] as const)),
);

/** Set in CI, where a skipped test would be an unseen hole. */
const required = process.env.LMSERV_REQUIRE_PEERS === "1";

/** Defines a test. The runner's limit is the only one, for tests that hang. */
export type DefineTest = (name: string, body: () => Promise<void> | void) => void;

/**
 * A `describe` for tests that make a LAN.
 *
 * If that is impossible, they are skipped, with the reason in the name of the group, or fail with
 * `LMSERV_REQUIRE_PEERS=1`.
 */
export function describeNet(name: string, define: () => void): void {
  if (support.available) {
    describe(name, define);
  } else if (required) {
    const { reason } = support;
    describe(name, () => {
      test("has network namespaces", () => {
        throw new Error(reason);
      });
    });
  } else {
    describe.skip(`${name} [skipped: ${support.reason}]`, define);
  }
}

/** A `test` for those that talk to `peers`; skipped or failed like the groups of `describeNet`. */
export function needsPeers(peers: readonly PeerName[]): DefineTest {
  const packages = peers.flatMap((peer) => missing.get(peer) ?? []);
  if (packages.length === 0) return (name, body) => test(name, body);
  const reason = `not installed: ${packages.join(", ")}`;
  if (!required) return (name, body) => test.skip(`${name} [skipped: ${reason}]`, body);
  return (name) =>
    test(name, () => {
      throw new Error(reason);
    });
}
