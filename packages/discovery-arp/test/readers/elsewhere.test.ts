import { describe, expect, it } from "vitest";
import { parseArpAn, parseGetNetNeighbor } from "../../src/neighbors/formats.ts";

// NOTHING HERE RAN ON macOS OR WINDOWS: the samples come from their documentation and from reports. They are
// parsed on whatever system runs the tests.

const macos = `? (192.0.2.1) at 0:18:1:8f:23:ed on en0 ifscope [ethernet]
gateway (192.0.2.2) at 50:67:f0:8c:7a:3f on en0 ifscope [ethernet]
? (192.0.2.3) at (incomplete) on en0 ifscope [ethernet]
? (192.0.2.4) at 2:0:0:0:0:4 on en0 permanent [ethernet]
? (192.0.2.5) at 2:0:0:0:0:5 on en0 published [ethernet]
? (192.0.2.255) at ff:ff:ff:ff:ff:ff on en0 ifscope [ethernet]
? (224.0.0.251) at 1:0:5e:0:0:fb on en0 ifscope permanent [ethernet]
`;

const windows = JSON.stringify([
  { IPAddress: "192.0.2.1", LinkLayerAddress: "50-67-F0-8C-7A-3F", InterfaceAlias: "Ethernet", State: 5 },
  { IPAddress: "192.0.2.2", LinkLayerAddress: "02-00-00-00-00-02", InterfaceAlias: "WLAN", State: 4 },
  { IPAddress: "192.0.2.3", LinkLayerAddress: "02-00-00-00-00-03", InterfaceAlias: "Ethernet", State: 0 },
  { IPAddress: "192.0.2.4", LinkLayerAddress: "00-00-00-00-00-00", InterfaceAlias: "Ethernet", State: 1 },
  { IPAddress: "224.0.0.22", LinkLayerAddress: "01-00-5E-00-00-16", InterfaceAlias: "Ethernet", State: 6 },
  { IPAddress: "192.0.2.255", LinkLayerAddress: "FF-FF-FF-FF-FF-FF", InterfaceAlias: "Ethernet", State: 6 },
  { IPAddress: "127.0.0.1", LinkLayerAddress: "", InterfaceAlias: "Loopback Pseudo-Interface 1", State: 6 },
  { IPAddress: "fe80::1%12", LinkLayerAddress: "02-00-00-00-00-02", InterfaceAlias: "WLAN", State: 4 },
]);

describe("what macOS prints (written down, not run there)", () => {
  it("is read: zeros filled in, incomplete, published, group and broadcast entries left out", () => {
    expect(parseArpAn(macos)).toEqual([
      { address: "192.0.2.1", mac: "00:18:01:8f:23:ed", link: "en0" },
      { address: "192.0.2.2", mac: "50:67:f0:8c:7a:3f", link: "en0" },
      { address: "192.0.2.4", mac: "02:00:00:00:00:04", link: "en0" },
    ]);
  });
});

describe("what Windows prints (written down, not run there)", () => {
  it("is read by its numbers of states, which no language changes", () => {
    expect(parseGetNetNeighbor(windows)).toEqual([
      { address: "192.0.2.1", mac: "50:67:f0:8c:7a:3f", link: "Ethernet" },
      { address: "192.0.2.2", mac: "02:00:00:00:00:02", link: "WLAN" },
      { address: "fe80::1", mac: "02:00:00:00:00:02", link: "WLAN" },
    ]);
  });

  it("is one object, and no list, for a single neighbour", () => {
    const one = {
      IPAddress: "192.0.2.1",
      LinkLayerAddress: "50-67-F0-8C-7A-3F",
      InterfaceAlias: "WLAN",
      State: 5,
    };
    expect(parseGetNetNeighbor(`${JSON.stringify(one)}\r\n`)).toHaveLength(1);
  });

  it.each(["", "\r\n", "Get-NetNeighbor : Zugriff verweigert"])("is nobody when it says %j", (text) => {
    expect(parseGetNetNeighbor(text)).toEqual([]);
  });
});
