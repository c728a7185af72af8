import { expect, test } from "vitest";
import { withoutCredentials } from "../../src/authors.ts";

test.each([
  ["http://u:hunter2@10.0.0.1:2379", "http://…@10.0.0.1:2379"],
  ["nats://hunter2@h", "nats://…@h"],
  ["it is 'http://u:hunter2@h', or \"tls://u:hunter/2@h:4222\"", "it is 'http://…@h', or \"tls://…@h:4222\""],
  ["http://u:hunter2@a,http://v:hunter2@b", "http://…@b"],
  ["http://u:hunter@2@h", "http://…@h"],
  ["u:hunter2@h:4222 is no URL", "…@h:4222 is no URL"],
])("a password is left out of %j", (text, expected) => {
  expect(withoutCredentials(text)).toBe(expected);
  expect(withoutCredentials(text)).not.toContain("hunter");
});

test.each([
  "npm install @lmserv/discovery-nats",
  "box._lmserv._tcp.local@lo",
  "http://10.0.0.1:8000/chat",
  "/srv/app@2:1:7: transports.arp",
  "C:\\Users\\me@work\\mesh.key",
  "me@example.com",
  "",
])("%j has none", (text) => {
  expect(withoutCredentials(text)).toBe(text);
});
