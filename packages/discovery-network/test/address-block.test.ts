import { expect, test } from "vitest";
import { addressBlock } from "../src/address-block.ts";

test.each([
  ["10.0.0.1", "10.0.0.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8::6", "2001:db8:0:0"],
  ["1::3:4:5:6:7", "1:0:0:3"],
  ["fe80::7%eth0", "fe80:0:0:0"],
  ["::1", "0:0:0:0"],
])("%s is in the block %s", (address, block) => {
  expect(addressBlock(address)).toBe(block);
});
