import { createLan } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { temporaryFolder } from "../command/temporary-folder.ts";
import { meshPort, spotOf, startMember, urlOf, whole } from "./member.ts";

/** Says how a TCP connection ended: the name of the event. */
const connectScript = (host: string, port: number): string => `
  const socket = require("node:net").connect({ host: ${JSON.stringify(host)}, port: ${port}, timeout: 5000 });
  for (const event of ["connect", "error", "timeout"]) {
    socket.once(event, () => { console.log(event); process.exit(); });
  }
`;

describeNet("members that reach only the seed", () => {
  test("see each other, and see each other go, through it", async () => {
    await using state = await temporaryFolder();
    await using lan = await createLan({ hosts: 4 });
    const [seed, ...clients] = lan.hosts;
    for (const { name } of clients) {
      await lan.switch.run(["bridge", "link", "set", "dev", name, "isolated", "on"]);
    }
    const options = { state: state.path, seeds: [urlOf(spotOf(seed))] };
    const members = await Promise.all(lan.hosts.map((host) => startMember(spotOf(host), options)));
    await whole(members);
    const [one, other] = clients;
    const script = connectScript(other?.address ?? "", meshPort);
    expect((await one?.run([process.execPath, "-e", script]))?.stdout).not.toBe("connect\n");

    members.at(-1)?.kill("SIGKILL");
    await whole(members.slice(0, -1));
  });
});
