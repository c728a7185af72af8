import { expect, test } from "vitest";
import { hostNames, isOwnHost, parseHostHeader } from "../src/host-header.ts";

test.each([
  ["10.0.0.1", "10.0.0.1"],
  ["10.0.0.1:8741", "10.0.0.1"],
  ["[FE80::1]:8741", "fe80::1"],
  ["[::ffff:10.0.0.1]", "::ffff:10.0.0.1"],
  ["LocalHost:1", "localhost"],
  ["Gpu-Box.local.", "gpu-box.local"],
  ["", null],
  [undefined, null],
  ["a b", null],
  ["fe80::1", null],
  ["[fe80::1%25eth0]", null],
  ["user@host", null],
  ["host:", null],
  ["host/..", null],
])("the header %j names %j", (header, host) => {
  expect(parseHostHeader(header)).toBe(host);
});

test.each([
  ["10.0.0.1", true],
  ["::1", true],
  ["localhost", true],
  ["127.1", false],
  ["evil.localhost", false],
  ["10.0.0.1.nip.io", false],
  ["gpu-box", false],
])("whether %s is at nobody else's disposal is %j", (host, isOwn) => {
  expect(isOwnHost(host)).toBe(isOwn);
});

test.each([
  ["GPU-Box", ["gpu-box", "gpu-box.local"]],
  ["gpu-box.example.org.", ["gpu-box.example.org", "gpu-box", "gpu-box.local"]],
  ["mac.local", ["mac.local", "mac"]],
])("a machine %s is called %j", (hostname, names) => {
  expect(hostNames(hostname)).toEqual(names);
});
