import { expect, test } from "vitest";
import { passwordExposed } from "../src/exposure.ts";

test.each([
  [["10.0.0.1"], "10.0.0.1"],
  [["etcd.example", "127.0.0.1"], "etcd.example"],
  [["[2001:db8::1]", "127.example"], "[2001:db8::1], 127.example"],
  [["localhost.example"], "localhost.example"],
])("a password to %j is exposed", (hosts, shown) => {
  expect(passwordExposed({ type: "etcd", via: "etcd" }, hosts, "https")).toMatchObject({
    code: "etcd/password-exposed",
    via: "etcd",
    message: `the password goes to ${shown} as plain text, readable on the way; name the server https://`,
  });
});

test.each([[[]], [["localhost"]], [["127.0.0.1", "[::1]", "127.8.9.1", "a.localhost"]]])(
  "a password to %j stays on this machine",
  (hosts) => {
    expect(passwordExposed({ type: "etcd", via: "etcd" }, hosts, "https")).toBeNull();
  },
);
