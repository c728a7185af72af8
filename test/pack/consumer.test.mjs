import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { installConsumer } from "./consumer.mjs";

test("an installation from a registry that hangs ends, and says so", async () => {
  const ending = new AbortController();
  // Never answers, and ends what asks it.
  const server = createServer(() => ending.abort());
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const folder = mkdtempSync(join(tmpdir(), "lmserv-consumer-"));
  try {
    mkdirSync(join(folder, "package"));
    const dependencies = { b: `http://127.0.0.1:${server.address().port}/b.tgz` };
    const manifest = { name: "a", version: "1.0.0", dependencies };
    writeFileSync(join(folder, "package/package.json"), JSON.stringify(manifest));
    const tarball = join(folder, "a.tgz");
    execFileSync("tar", ["-czf", tarball, "-C", folder, "package"]);
    const installing = installConsumer(folder, new Map([["a", tarball]]), { signal: ending.signal });
    await expect(installing).rejects.toThrow(/^npm install .* was killed after \d/);
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  }
});
