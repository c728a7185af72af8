import assert from "node:assert/strict";
import { isIP } from "node:net";
import {
  isNodeId,
  isPath,
  isPort,
  maxInfoBytes,
  type Observation,
  type SeenNode,
} from "@lmserv/discovery-core/transport";

/** Throws unless every field conforms to the contract. */
export function assertValid(observation: Observation, vias: readonly string[]): void {
  const { kind, via } = observation;
  assert.ok(vias.includes(via), `via is "${via}", and the transport "${vias.join("+")}"`);
  if (!("key" in observation)) {
    assert.ok(["settled", "lost", "recovered"].includes(kind), `kind is "${kind}"`);
    return;
  }
  assert.ok(observation.key !== "", "a key is empty");
  if (observation.kind === "gone") {
    assert.ok(["goodbye", "unreachable"].includes(observation.reason), `gone for "${observation.reason}"`);
    return;
  }
  const { ttlMs, origin, heardMs } = observation;
  assert.ok(ttlMs === undefined || (Number.isFinite(ttlMs) && ttlMs > 0), `ttlMs is ${ttlMs}`);
  assert.ok(typeof origin === "string" && origin !== "", `origin is ${JSON.stringify(origin)}`);
  assert.ok(heardMs === null || Number.isFinite(heardMs), `heardMs is ${heardMs}`);
  assertValidNode(observation.node);
}

/** Throws unless the node is valid. */
export function assertValidNode(node: SeenNode): void {
  const { id, trust, port, scheme, info, addresses, path, auth, attributes } = node;
  assert.ok(id === null || (typeof id === "string" && isNodeId(id)), `id is ${JSON.stringify(id)}`);
  assert.ok(["signed", "announced", "identified"].includes(trust), `trust is "${trust}"`);
  assert.ok(isPort(port), `port is ${port}`);
  assert.ok(scheme === "http" || scheme === "https", `scheme is "${scheme}"`);
  assertText(info, "info");
  assert.ok(Buffer.byteLength(info) <= maxInfoBytes, `info takes ${Buffer.byteLength(info)} bytes`);
  assert.ok(addresses.length > 0, "a node has no address");
  for (const { address, reach } of addresses) {
    assert.ok(isIP(address) !== 0, `an address is ${JSON.stringify(address)}`);
    assert.ok(reaches.includes(reach), `reach is "${reach}"`);
  }
  assert.ok(path === null || (typeof path === "string" && isPath(path)), `path is ${JSON.stringify(path)}`);
  assert.ok(auth === null || auth === "none" || auth === "required", `auth is "${auth}"`);
  for (const name of ["hostname", "server"] as const) if (node[name] !== null) assertText(node[name], name);
  for (const name of ["apis", "models"] as const) {
    assert.ok(Array.isArray(node[name]), `${name} is no list`);
    for (const item of node[name]) assertText(item, name);
  }
  assert.ok(typeof attributes === "object" && !Array.isArray(attributes), "attributes are no record");
  for (const value of Object.values(attributes)) assertText(value, "attributes");
}

const reaches: readonly string[] = ["source", "on-link", "routed", "doubtful", "link-local", "loopback"];

function assertText(value: unknown, name: string): void {
  assert.equal(typeof value, "string", `${name} holds ${JSON.stringify(value)}`);
}
