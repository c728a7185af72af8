import { expect, test } from "vitest";
import { isDefaultBridge } from "../src/index.ts";

test.each([
  "172.17.0.1",
  "172.31.0.1",
  "::ffff:172.17.0.1",
  "10.88.0.1",
  "10.89.4.1",
  "192.168.122.1",
  "10.0.3.1",
  "10.42.0.1",
  "10.0.2.15",
])("%s is what a bridge has unless told otherwise", (address) => {
  expect(isDefaultBridge(address)).toBe(true);
});

test.each([
  "172.16.0.1",
  "172.17.0.2",
  "172.17.1.1",
  "192.168.1.1",
  "10.88.0.2",
  "fe80::1",
  "",
  "172.17.0.1x",
])("%s is not", (address) => {
  expect(isDefaultBridge(address)).toBe(false);
});
