import { createLan } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { lmserv } from "../command/command.ts";

describeNet("a password for a store on another machine", () => {
  test.each([
    ["without encryption is a warning", "http://10.77.0.2:2379", true],
    ["with encryption is none", "https://10.77.0.2:2379", false],
    ["on this machine is none", "http://127.0.0.1:2379", false],
  ])("%s", async (_, endpoint, isExposed) => {
    await using lan = await createLan({ hosts: 2 });
    const [a] = lan.hosts;
    const env = { LMSERV_TRANSPORTS__ETCD__PASSWORD: "hunter2", LMSERV_TRANSPORTS__ETCD__USER: "u" };
    const watching = lmserv("discover", "--watch", "--json", "--transport", "etcd", "--endpoint", endpoint);
    const watcher = await a.spawn(watching, { env });
    await watcher.line((line) => line.includes('"MEDIUM_UNREACHABLE"'));
    expect(watcher.stdoutText.includes('"etcd/password-exposed"')).toBe(isExposed);
    expect(`${watcher.stdoutText}${watcher.stderrText}`).not.toContain("hunter2");
  });
});
