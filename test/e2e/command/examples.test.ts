import { fileURLToPath } from "node:url";
import { createLan, type Host, type HostProcess } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { startModels } from "../gateway/endpoint.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const meshMember = fileURLToPath(new URL("../mesh/member.mjs", import.meta.url));
const key = "bWVzaCB0ZXN0cyBvbmx5IC0gbm90IGEgcmVhbCBrZXk";

function run(host: Host, example: string, ...args: readonly string[]): Promise<HostProcess> {
  const file = fileURLToPath(new URL(`../../../examples/library/${example}`, import.meta.url));
  return host.spawn([process.execPath, file, ...args], { env: { MESH_KEY: key } });
}

describeNet("the examples of the library", () => {
  test("find what is announced, notice its goodbye, and ask the nearest server", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    const browser = await run(b, "dist/browse.js");
    const announcer = await run(a, "dist/announce.js", "9000");
    const url = `http://${a.address}:9000`;
    await browser.line((line) => line.startsWith(`up from an example ${url}`));
    announcer.kill("SIGINT");
    await browser.line((line) => line.startsWith("down from an example"));
    browser.kill("SIGINT");
    expect(await browser.exited).toEqual({ code: 0, signal: null });

    await startModels(a, "box");
    for (const example of ["dist/nearest.js", "nearest.mjs"]) {
      const nearest = await run(b, example, "llama3");
      await nearest.line((line) => line.startsWith("box "));
      expect(await nearest.exited).toEqual({ code: 0, signal: null });
    }
  });

  test("list the servers of a mesh", async () => {
    await using lan = await createLan({ hosts: 2 });
    await using folder = await temporaryFolder();
    const [a, b] = lan.hosts;
    const listen = [{ host: a.address, port: 7_946 }];
    const options = { keys: key, seeds: [], listen, stateDirectory: folder.path };
    const member = await a.spawn([process.execPath, meshMember, JSON.stringify({ info: "member", options })]);
    await member.line((line) => line.includes("announced"));
    const watcher = await run(b, "dist/mesh.js", `ws://${a.address}:7946`);
    await watcher.line((line) => line.startsWith("up member"));
    watcher.kill("SIGINT");
    expect(await watcher.exited).toEqual({ code: 0, signal: null });
  });
});
