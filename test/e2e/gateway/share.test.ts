import { fileURLToPath } from "node:url";
import { createLan, type Host, type HostProcess } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { announce, lmserv, watch } from "../command/command.ts";

const program = fileURLToPath(new URL("./ollama-host.mjs", import.meta.url));
const question = JSON.stringify({
  model: "llama3",
  stream: false,
  messages: [{ role: "user", content: "hi" }],
});

async function startOllama(host: Host): Promise<HostProcess> {
  const server = await host.spawn([process.execPath, program]);
  await server.line((line) => line === "listening");
  return server;
}

/** Status and body of an answer, as curl has it. */
async function curl(host: Host, ...args: readonly string[]): Promise<string> {
  const { stdout } = await host.run([
    "curl",
    "--silent",
    "--max-time",
    "60",
    "--write-out",
    " %{http_code}",
    ...args,
  ]);
  return stdout;
}

describeNet("a server that listens on loopback only", () => {
  test("is shared: reached by others for inference, gone with its process, and back with it", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    const server = await startOllama(a);
    const found = await watch(b);
    const announcer = await announce(a, "--share", "--info", "shared");
    const { node } = await found.event(({ type }) => type === "up");
    expect(node).toMatchObject({ server: "ollama", models: ["llama3"], port: 11_434 });
    expect(node?.addresses).toContain(a.address);

    const root = `http://${a.address}:11434`;
    expect(await curl(b, "--data", question, `${root}/api/chat`)).toMatch(/hello from loopback.* 200$/);
    expect(await curl(b, "--request", "DELETE", "--data", question, `${root}/api/delete`)).toMatch(/ 404$/);
    expect(await curl(b, "--header", "Host: evil.example", `${root}/api/tags`)).toMatch(/ 421$/);
    expect(
      await curl(b, "--header", "Origin: https://evil.example", "--data", question, `${root}/api/chat`),
    ).toMatch(/ 403$/);

    const gateway = await b.spawn(lmserv("gateway"));
    await gateway.stderrLine((line) => line.includes("serving llama3 (shared)"));
    expect(await curl(b, "--data", question, "http://127.0.0.1:8740/api/chat")).toMatch(
      /hello from loopback.* 200$/,
    );
    expect(server.lines.slice(1).map((line) => JSON.parse(line))).toEqual([
      { method: "POST", url: "/api/chat", host: "127.0.0.1:11434" },
      { method: "POST", url: "/api/chat", host: "127.0.0.1:11434", hop: "1" },
    ]);

    // The share's own socket at the port is no sign of life of the server.
    server.kill("SIGKILL");
    await announcer.stderrLine((line) => line.includes("said goodbye for port 11434"));
    await found.event(({ type }) => type === "down");
    await startOllama(a);
    let times = 0;
    await announcer.stderrLine((line) => line.includes("announced ollama") && ++times === 2);
    expect(await curl(b, "--data", question, `${root}/api/chat`)).toMatch(/ 200$/);
  });
});
