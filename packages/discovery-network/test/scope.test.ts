import { expect, test } from "vitest";
import { isPrivate, isPublic, isUnspecified } from "../src/index.ts";

test.each([
  ["10.0.0.1", true, false],
  ["11.0.0.1", false, true],
  ["172.15.255.255", false, true],
  ["172.16.0.0", true, false],
  ["172.31.255.255", true, false],
  ["172.32.0.0", false, true],
  ["192.168.255.1", true, false],
  ["192.169.0.1", false, true],
  ["100.64.0.1", false, false],
  ["169.254.1.1", false, false],
  ["127.0.0.1", false, false],
  ["0.0.0.0", false, false],
  ["::", false, false],
  ["::1", false, false],
  ["8.8.8.8", false, true],
  ["::ffff:8.8.8.8", false, true],
  ["::ffff:10.0.0.1", true, false],
  ["fd00::1", true, false],
  ["fe80::1%eth0", false, false],
  ["2606:4700::1", false, true],
])("%s is private: %s, public: %s", (address, isOfPrivate, isOfPublic) => {
  expect({ isPrivate: isPrivate(address), isPublic: isPublic(address) }).toEqual({
    isPrivate: isOfPrivate,
    isPublic: isOfPublic,
  });
});

test("what stands for all addresses is told in every spelling", () => {
  expect(["0.0.0.0", "::", "0:0::0", "::ffff:0.0.0.0"].map(isUnspecified)).toEqual([true, true, true, true]);
  expect(["10.0.0.0", "::1", "host"].map(isUnspecified)).toEqual([false, false, false]);
});
