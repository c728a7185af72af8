import { hostileBytes, readsHostile, textOf } from "@lmserv/test-hostile";
import fc from "fast-check";
import { isConfigError } from "../src/index.ts";
import { made, resolveFile } from "./harness.ts";

const files: readonly string[] = [
  '{ "version": 1 }',
  '{\n  // A comment.\n  "$schema": "x", "version": 1, "preset": "office" /* and another */\n}\n',
  `{
  "version": 1,
  "transports": {
    "mdns": { "interfaces": ["eth0", "192.0.2.7"] },
    "arp": { "sweep": true, "ports": [8000, 11434], "sweepEvery": "10m", "when": "mdns-silent", "after": "3s" },
    "mesh": { "seeds": ["ws://192.0.2.1:7946"], "keyFile": "mesh.key", "state": "./state", "limits": { "maxPeers": 4 } },
    "second": { "type": "mesh", "optional": true, "seeds": ["ws://h:1"], "key": "k", "tls": { "certFile": "c", "key": "k" } }
  }
}`,
  `{
  "version": 1,
  "gateway": {
    "listen": ["127.0.0.1:8740"], "as": "ollama", "keyFile": "gateway.key", "allowHost": ["h"], "allowOrigin": ["app://x"],
    "prefer": ["box"], "alias": { "small": ["phi3"] }, "trust": "any", "caFile": "ca.pem", "nodeCaFiles": { "10.0.0.7:8000": "ca.pem" }, "nodeKeys": { "10.0.0.7:8000": "k" }
  }
}`,
];

/** More than the transports of one file: each is made once. */
const maxMade = 64;

readsHostile("configuration files", {
  inputs: hostileBytes(fc.constantFrom(...files)).map(textOf),
  maxKept: maxMade,
  open: () => ({
    kept: () => made.length,
    read: async (text) => {
      try {
        await resolveFile(text, { flags: { gateway: [] } });
      } catch (error) {
        if (!isConfigError(error)) throw error;
      }
    },
  }),
});
