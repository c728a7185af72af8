import { expect, test } from "vitest";
import { parseBrowseLine } from "../src/peers/avahi-line.ts";

test("a line of avahi-browse is read with its escapes", () => {
  const line =
    '=;eth0;IPv6;K\\195\\188che\\0322\\.0;_lmserv._tcp;local;h1.local;fe80::1;8000;"path=/v1;a" "info=\\"\\195\\188\\""';
  expect(parseBrowseLine(line)).toEqual({
    interface: "eth0",
    family: "IPv6",
    name: "Küche 2.0",
    type: "_lmserv._tcp",
    domain: "local",
    hostname: "h1.local",
    address: "fe80::1",
    port: 8000,
    txt: ["path=/v1;a", 'info="ü"'],
  });
  expect(parseBrowseLine("+;eth0;IPv4;h1;_lmserv._tcp;local")).toBeNull();
  expect(parseBrowseLine("")).toBeNull();
});
