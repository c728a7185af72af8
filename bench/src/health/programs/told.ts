import { observationStream, type Transport } from "@lmserv/discovery-core/transport";
import { httpHealth } from "@lmserv/discovery-fingerprint";
import { lmserv } from "../../mdns/lmserv.ts";
import { drive } from "../../mdns/program.ts";

// A peer that is told of its nodes: `told.js CHECKS ADDRESSES PORTS`, lists with commas.

const [checks, addresses = "", ports = ""] = process.argv.slice(2);
const dayMs = 86_400_000;

/** Lists every port of every address, at once and for the whole run. */
const told: Transport = {
  name: "told",
  async open() {
    const closing = new AbortController();
    return {
      browse: (_, { signal }) =>
        observationStream({
          signal,
          closed: closing.signal,
          start({ push }) {
            for (const address of addresses.split(",")) {
              for (const port of ports.split(",").map(Number)) push(nodeAt(address, port));
            }
            push({ kind: "settled", via: "told" });
            return () => {};
          },
        }),
      [Symbol.asyncDispose]: async () => closing.abort(),
    };
  },
};

function nodeAt(address: string, port: number) {
  const id = `${address}:${port}`;
  return {
    kind: "alive",
    via: "told",
    key: id,
    ttlMs: dayMs,
    origin: address,
    heardMs: null,
    node: {
      id,
      trust: "announced",
      port,
      scheme: "http",
      info: id,
      addresses: [{ address, reach: "on-link" }],
      hostname: null,
      path: null,
      server: null,
      apis: [],
      models: [],
      auth: null,
      attributes: {},
    },
  } as const;
}

drive(lmserv(checks === "yes" ? httpHealth() : undefined, [told]));
