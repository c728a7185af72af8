import { describe, expect, it } from "vitest";
import { maxNeighbors, proxiesAmong, tidy } from "../src/neighbors/neighbor.ts";

const row = (address: string, mac: string, link: string | null = "eth0") => ({ address, mac, link });
const mac = "02:00:00:00:00:01";

describe("a neighbour", () => {
  it.each([
    ["0:18:1:8f:23:ed", "00:18:01:8f:23:ed"],
    ["50-67-F0-8C-7A-3F", "50:67:f0:8c:7a:3f"],
    [
      "80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:0c:00:01",
      "80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:0c:00:01",
    ],
    ["80:00:02:08:fe:80:00:00:00", "80:00:02:08:fe:80:00:00:00"],
  ])("has its MAC %s brought into form", (text, expected) => {
    expect(tidy([row("10.0.0.1", text)])).toEqual([row("10.0.0.1", expected)]);
  });

  it.each([
    "",
    "00:00:00:00:00:00",
    "ff:ff:ff:ff:ff:ff",
    "01:00:5e:00:00:fb",
    "(incomplete)",
    "02:00",
    "02:00:00:00:00:zz",
  ])("is none with the MAC %j", (text) => expect(tidy([row("10.0.0.1", text)])).toEqual([]));

  it.each([
    "",
    "224.0.0.251",
    "255.255.255.255",
    "127.0.0.1",
    "0.0.0.0",
    "10.0.0.256",
    "ff02::1",
    "::",
    "::1",
    "host",
  ])("is none with the address %j", (text) => expect(tidy([row(text, mac)])).toEqual([]));

  it("is listed once on each link, in its latest form", () => {
    const rows = [row("10.0.0.1", mac), row("10.0.0.1", "02:00:00:00:00:02"), row("10.0.0.1", mac, "eth1")];
    expect(tidy(rows)).toEqual([row("10.0.0.1", "02:00:00:00:00:02"), row("10.0.0.1", mac, "eth1")]);
  });

  it("over IPv6 loses its zone, which is its link", () => {
    expect(tidy([row("FE80::1%eth0", mac)])).toEqual([row("fe80::1", mac)]);
  });

  it("is one of a bounded number", () => {
    const rows = Array.from({ length: maxNeighbors + 10 }, (_, index) =>
      row(`10.0.${index >> 8}.${index & 255}`, mac),
    );
    expect(tidy(rows)).toHaveLength(maxNeighbors);
  });
});

describe("a proxy", () => {
  const rowsOf = (count: number) =>
    Array.from({ length: count }, (_, index) => row(`10.0.0.${index + 1}`, mac));

  it("answers for more addresses than a host has", () => {
    expect(proxiesAmong(rowsOf(16))).toEqual(new Set());
    expect(proxiesAmong(rowsOf(17))).toEqual(new Set([mac]));
  });

  it("is not a host with many IPv6 addresses", () => {
    expect(proxiesAmong(rowsOf(30).map(({ address }) => row(`fe80::${address.slice(7)}`, mac)))).toEqual(
      new Set(),
    );
  });
});
