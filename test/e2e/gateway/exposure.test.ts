import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createLan } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { lmserv } from "../command/command.ts";
import { temporaryFolder } from "../command/temporary-folder.ts";
import { makeCertificate, startModels } from "./endpoint.ts";

const guestClient = fileURLToPath(new URL("./guest-client.mjs", import.meta.url));
const key = "0123456789abcdef";
const question = JSON.stringify({ model: "llama3", stream: true, messages: [] });

/** A bridge as Docker makes it, and a container on it. */
const guest = `set -e
ip link add docker0 type bridge
ip addr add 172.17.0.1/16 dev docker0
ip link set docker0 up
ip netns add guest
ip link add veth0 type veth peer name eth0 netns guest
ip link set veth0 master docker0 up
nsenter --net=/run/netns/guest sh -c 'ip addr add 172.17.0.2/16 dev eth0; ip link set eth0 up'`;
const inGuest = ["nsenter", "--net=/run/netns/guest"] as const;

describeNet("the local endpoint", () => {
  test("serves a container at the address of the bridge, with a key", async () => {
    await using lan = await createLan({ hosts: 2 });
    await using folder = await temporaryFolder();
    const [a, b] = lan.hosts;
    await startModels(a, "a");
    await b.run(["sh", "-c", guest]);
    const keyFile = join(folder.path, "key");
    await writeFile(keyFile, `${key}\n`, { mode: 0o600 });
    const listen = ["--listen", "127.0.0.1:8740", "--listen", "172.17.0.1:8740", "--key-file", keyFile];
    const gateway = await b.spawn(lmserv("gateway", ...listen));
    await gateway.stderrLine((line) => line.includes("serving llama3 (a)"));

    const client = [...inGuest, process.execPath, guestClient, "http://172.17.0.1:8740/v1"] as const;
    expect((await b.run([...client, key])).stdout).toBe("a done");
    const refused = await b.run([...client, "wrong"]);
    expect(refused.stderr).toContain("401");

    const name = "host.docker.internal:8740";
    const curl = ["curl", "--silent", "--resolve", `${name}:172.17.0.1`, "--data", question] as const;
    const byName = await b.run([
      ...inGuest,
      ...curl,
      "--oauth2-bearer",
      key,
      `http://${name}/v1/chat/completions`,
    ]);
    expect(byName.stdout).toContain("[DONE]");
  });

  test("asks a server with TLS where its certificate is vouched for, and says so otherwise", async () => {
    await using lan = await createLan({ hosts: 2 });
    await using folder = await temporaryFolder();
    const [a, b] = lan.hosts;
    const { file: certificate, both } = await makeCertificate(a, folder.path);
    const server = await startModels(a, "box", both);
    const ask = ["curl", "--silent", "--data", question] as const;

    const trusting = await b.spawn(lmserv("gateway", "--node-ca-file", `${a.address}:8000=${certificate}`));
    await trusting.stderrLine((line) => line.includes("serving llama3 (box)"));
    const answer = await b.run([...ask, "http://127.0.0.1:8740/v1/chat/completions"]);
    expect(answer.stdout).toContain("[DONE]");

    const doubting = await b.spawn(lmserv("gateway", "--listen", "127.0.0.1:8750"));
    const cause = "no trusted authority signed its certificate";
    await doubting.stderrLine((line) =>
      line.endsWith(
        `box is not used: ${cause}; --node-ca-file ${a.address}:8000=FILE names an authority that does`,
      ),
    );
    const listed = await b.run(["curl", "--silent", "http://127.0.0.1:8750/lmserv/nodes"]);
    expect(JSON.parse(listed.stdout)).toMatchObject({
      nodes: [{ info: "box", health: { state: "silent", reason: cause } }],
    });
    const refused = await b.run([...ask, "http://127.0.0.1:8750/v1/chat/completions"]);
    expect(refused.stdout).toContain(`box: ${cause}`);
    expect(server.requests()).toBe(1);
  });

  test("asks no server that signs nothing where only signed ones are trusted", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    const rogue = await startModels(a, "rogue");
    const gateway = await b.spawn(lmserv("gateway", "--trust", "signed"));
    await gateway.stderrLine((line) => line.includes("only nodes that sign their announcements are used"));
    await gateway.stderrLine((line) => line.includes("no server can be used yet"));
    const found = await b.run(lmserv("discover", "--first", "--print", "url"));
    expect(found.stdout).toContain(`http://${a.address}:8000`);
    const url = "http://127.0.0.1:8740/v1/chat/completions";
    const answer = await b.run(["curl", "--silent", "--write-out", " %{http_code}", "--data", question, url]);
    expect(answer.stdout).toMatch(/ 503$/);
    expect(rogue.requests()).toBe(0);
  });
});
