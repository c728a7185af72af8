import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Command, createLan } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { serve } from "../arp/neighbors.ts";
import { temporaryFolder } from "../command/temporary-folder.ts";

interface Builder {
  buildVariant(variant: string, folder: string): Promise<{ readonly file: string }>;
}

const builder = new URL("../../../scripts/variants.mjs", import.meta.url).href;

describeNet("the variant office, one file and an empty folder,", () => {
  test("finds over the neighbours what it announces, where multicast is dropped", async () => {
    await using folder = await temporaryFolder();
    const { buildVariant }: Builder = await import(builder);
    const { file } = await buildVariant("office", join(folder.path, "built"));
    const empty = join(folder.path, "empty");
    await mkdir(empty);
    await using lan = await createLan({ hosts: 2, neighbors: "learned" });
    const [seeker, server] = lan.hosts;
    await lan.dropMulticast(true);
    await serve(server, "lmserv", 8000);
    const office = (...args: readonly string[]): Command => [process.execPath, file, ...args];
    const announcing = ["announce", "--port", "8000", "--info", server.name, "--document-port"];
    const announcer = await server.spawn(office(...announcing), { cwd: empty });
    await announcer.stderrLine((line) => line.includes("announced "));

    const search = ["discover", "--preset", "office", "--json", "--first", "--timeout", "60s"];
    const { code, stdout } = await seeker.run(office(...search), { cwd: empty });
    expect(code).toBe(0);
    expect(JSON.parse(stdout).nodes).toMatchObject([
      { info: server.name, port: 8000, sources: [{ transport: "arp" }] },
    ]);
  });
});
