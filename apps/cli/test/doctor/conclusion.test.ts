import type { Check, CheckCode, Verdict } from "@lmserv/discovery-core/transport";
import { expect, test } from "vitest";
import { ownPlugins } from "../../src/config/plugins.ts";
import { conclude } from "../../src/doctor/conclusion.ts";
import { hostChecks } from "../../src/doctor/environment.ts";

/** Checks as the owners of these codes make them. */
function checks(...codes: readonly string[]): readonly Check[] {
  return codes.map((code) => {
    const [type = "", word = ""] = code.split("/");
    const declared = type === "host" ? hostChecks : ownPlugins.get(type)?.checks;
    const [verdict] = Object.entries(declared ?? {}).find(([name]) => name === word)?.[1] ?? [
      "fail" as Verdict,
    ];
    return {
      code: code as CheckCode,
      verdict,
      transport: type === "host" ? null : type,
      interface: null,
      message: `message of ${code}`,
      fix: `fix of ${code}`,
    };
  });
}

const nobody = "host/no-server-found";
const yet = /the likeliest cause is that none is announced yet: run lmserv up/;

test.each<[string, readonly string[], RegExp]>([
  ["a healthy network", ["mdns/multicast-heard", "host/servers-found"], /^Servers are found here\.$/],
  [
    "others without a server",
    ["mdns/multicast-heard", nobody],
    /^Servers can be found here.*none is announced yet/,
  ],
  ["nobody at all", ["mdns/multicast-silent", nobody], yet],
  [
    "dropped multicast",
    ["mdns/multicast-dropped", nobody],
    /^Servers cannot be found here: message of mdns\/multicast-dropped\. To mend it: fix of/,
  ],
  [
    "a port that is held",
    ["mdns/port-taken", nobody],
    /^Servers cannot be found here: message of mdns\/port-taken/,
  ],
  [
    "a wrong mesh key",
    ["mesh/key-refused", nobody],
    /^Servers cannot be found here: message of mesh\/key-refused/,
  ],
  [
    "a store that refuses",
    ["etcd/store-refuses", nobody],
    /cannot be found here: message of etcd\/store-refuses/,
  ],
  [
    "no network",
    ["NO_USABLE_INTERFACE", "host/no-default-route"],
    /cannot be found here: message of NO_USABLE/,
  ],
  [
    "a container",
    ["mdns/multicast-silent", "host/container-suspected", nobody],
    /If.*of host\/container-suspected/,
  ],
  [
    "a VPN alone",
    ["mdns/multicast-silent", "host/vpn-suspected", nobody],
    /If.*message of host\/vpn-suspected/,
  ],
  [
    "an own server on loopback",
    ["mdns/multicast-silent", nobody, "host/server-on-loopback"],
    /own is out of reach: message of host\/server-on-loopback\. To mend it: fix of host\/server-on-loopback/,
  ],
  [
    "a sweep that finds what multicast does not",
    ["mdns/multicast-dropped", "host/servers-found"],
    /^Servers are found here, though not all ways work: message of mdns\/multicast-dropped/,
  ],
])("the conclusion in %s", (_, codes, expected) => {
  expect(conclude(checks(...codes), ownPlugins.values())).toMatch(expected);
});
