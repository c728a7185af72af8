import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createLan } from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { expect } from "vitest";
import { lmserv } from "../command/command.ts";
import { temporaryFolder } from "../command/temporary-folder.ts";
import { startModels } from "./endpoint.ts";

const question = JSON.stringify({ model: "llama3", stream: true, messages: [] });

/** Configuration of the README, on a port of loopback. */
const caddyfile = `{
	auto_https off
}
http://127.0.0.1:8080 {
	reverse_proxy {
		import llm.caddy
		header_up Host {upstream_hostport}
		flush_interval -1
	}
}
`;

describeNet("lmserv export", () => {
  needsPeers(["caddy"])("has Caddy's upstreams follow the list", async () => {
    await using lan = await createLan({ hosts: 3 });
    await using folder = await temporaryFolder();
    const [a, b, c] = lan.hosts;
    const [config, list] = [join(folder.path, "Caddyfile"), join(folder.path, "llm.caddy")];
    await writeFile(config, caddyfile);
    await writeFile(list, "# nothing yet\n");
    const env = { HOME: folder.path, XDG_DATA_HOME: folder.path, XDG_CONFIG_HOME: folder.path };
    const caddy = await a.spawn(["caddy", "run", "--config", config, "--adapter", "caddyfile"], { env });
    await caddy.stderrLine((line) => line.includes("serving initial configuration"));
    const first = await startModels(b, "b");

    // Says on a line of its own which list Caddy has.
    const reload = `caddy reload --config '${config}' --adapter caddyfile 2>&-`;
    const hook = `${reload} && echo "loaded $(tr '\\n' ' ' < '${list}')" >&2`;
    const exporting = await a.spawn(lmserv("export", "caddy", "--watch", "--out", list, "--exec", hook), {
      env,
    });
    const loads = (fits: (line: string) => boolean): Promise<string> =>
      exporting.stderrLine((line) => line.startsWith("loaded") && fits(line));
    const ask = async (): Promise<string> =>
      (await a.run(["curl", "--silent", "--data", question, "http://127.0.0.1:8080/v1/chat/completions"]))
        .stdout;
    const [atB, atC] = [`to ${b.address}:8000 `, `to ${c.address}:8000 `];
    await loads((line) => line.includes(atB) && !line.includes(atC));
    expect(await ask()).toContain("b ");

    const second = await startModels(c, "c");
    await loads((line) => line.includes(atB) && line.includes(atC));
    first.process.kill("SIGTERM");
    await loads((line) => !line.includes(atB) && line.includes(atC));
    expect(await ask()).toContain("c ");
    expect(second.requests()).toBe(1);
  });
});
