import { expect, test } from "vitest";
import { seenNode } from "../src/seen-node.ts";

const member = "0123456789abcdef0123456789abcdef";

test.each([
  [member, "signed"],
  [`${member}.8080`, "signed"],
  [`${member}.8081`, "announced"],
  [`${member}.8080.8080`, "announced"],
  [`${member}.`, "announced"],
  ["other", "announced"],
])("a record of a key proves its id, and that with the node's port: %s is %s", (id, trust) => {
  expect(seenNode({ id, port: 8080, info: "" }, member, []).trust).toBe(trust);
});
