import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createLan, type Host, type HostProcess } from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { expect } from "vitest";
import { endpointEvents, type Listing, lmserv } from "../command/command.ts";
import { openPage } from "./shown-page.ts";

const program = fileURLToPath(new URL("./ollama-host.mjs", import.meta.url));
const root = "http://127.0.0.1:8740";

/** An Ollama that has one model, on loopback alone or on every address. */
async function startOllama(host: Host, model: string, address: string = "127.0.0.1"): Promise<HostProcess> {
  const server = await host.spawn([process.execPath, program, model, address]);
  await server.line((line) => line === "listening");
  return server;
}

async function curl(host: Host, path: string): Promise<string> {
  return (await host.run(["curl", "--silent", "--fail", "--max-time", "60", `${root}${path}`])).stdout;
}

const prometheusConfig = `
global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - { job_name: lmserv, static_configs: [{ targets: ["127.0.0.1:8740"] }] }
  - { job_name: servers, http_sd_configs: [{ url: "${root}/lmserv/targets", refresh_interval: 1s }] }
`;

describeNet("lmserv up", () => {
  needsPeers(["chromium"])(
    "on three hosts has the same models at one address on each, and follows a box that leaves and returns",
    async () => {
      await using lan = await createLan({ hosts: 3 });
      const [a, b, c] = lan.hosts;
      await startOllama(a, "phi3", "0.0.0.0");
      await startOllama(b, "llama3");
      const ups = await Promise.all([a, b, c].map((host) => host.spawn(lmserv("up"))));
      const [, upB] = ups;
      for (const up of ups) await up.stderrLine((line) => /serving .*phi3/.test(line));
      await upB?.stderrLine((line) => /serving .*llama3 .*phi3/.test(line));
      await upB?.stderrLine((line) => /cannot reach it.*OLLAMA_HOST=0\.0\.0\.0.*--share/.test(line));
      const models = async (host: Host): Promise<readonly string[]> =>
        JSON.parse(await curl(host, "/v1/models")).data.map(({ id }: { id: string }) => id);
      expect(await models(a)).toEqual(["phi3"]);
      expect(await models(b)).toEqual(["llama3", "phi3"]);
      expect(await models(c)).toEqual(["phi3"]);
      // The announcement and this machine's own view make one node.
      const { nodes }: Listing = JSON.parse(await curl(a, "/lmserv/nodes"));
      expect(nodes).toHaveLength(1);
      expect(nodes[0]?.sources.map(({ transport }) => transport).sort()).toEqual(["local", "mdns"]);

      const [atB, atC] = await Promise.all([openPage(b, root, 1_280), openPage(c, root, 360)]);
      await Promise.all([atB.shows("llama3", "phi3"), atC.shows("phi3")]);
      const { event: seen } = await endpointEvents(c);
      await seen(({ type }) => type === "up");
      const leavingMs = performance.now();
      ups[0]?.kill("SIGTERM");
      expect((await ups[0]?.exited)?.code).toBe(0);
      await seen(({ type, reason }) => type === "down" && reason === "goodbye");
      await Promise.all([atB.shows("llama3"), atC.shows()]);
      const startingMs = performance.now();
      const again = await a.spawn(lmserv("up"));
      await again.stderrLine((line) => line.includes("announced "));
      const announcedMs = performance.now();
      let times = 0;
      await seen(({ type }) => type === "up" && ++times === 2);
      await Promise.all([atB.shows("llama3", "phi3"), atC.shows("phi3")]);
      const s = (fromMs: number, toMs: number): string => `${((toMs - fromMs) / 1_000).toFixed(1)} s`;
      const shownMs = performance.now();
      console.info(
        `the pages show that a box leaves after ${s(leavingMs, startingMs)}, and that it is back ${s(announcedMs, shownMs)} after its announcement, ${s(startingMs, shownMs)} after its start`,
      );
      expect(await models(c)).toEqual(["phi3"]);
      const sound = { violations: [], complaints: [] };
      expect(await atB.judge()).toEqual({ ...sound, width: 1_280 });
      expect(await atC.judge()).toEqual({ ...sound, width: 360 });

      // The command has the list of the endpoint.
      const listed = await c.run(lmserv("discover", "--json"));
      expect(JSON.parse(listed.stdout)).toMatchObject({ durationMs: 0, nodes: [{ models: ["phi3"] }] });
      expect(listed.stderr).toContain("listed by lmserv on this machine");
      // A second one on a host says where the first is.
      const second = await c.run(lmserv("up"));
      expect(second.code).toBe(2);
      expect(second.stderr).toMatch(/already, as process \d+; its endpoint is http:\/\/127\.0\.0\.1:8740$/m);
    },
  );

  needsPeers(["prometheus"])(
    "is scraped by Prometheus, which finds targets at it and keeps them",
    async () => {
      await using lan = await createLan({ hosts: 1 });
      const [a] = lan.hosts;
      const folder = await mkdtemp(join(tmpdir(), "lmserv-prometheus-"));
      try {
        await startOllama(a, "phi3", "0.0.0.0");
        const start = async (): Promise<HostProcess> => {
          const up = await a.spawn(lmserv("up", "--port", "11434", "--server", "vllm"));
          await up.stderrLine((line) => line.includes("serving phi3"));
          return up;
        };
        const up = await start();
        const metrics = join(folder, "metrics");
        await writeFile(metrics, await curl(a, "/metrics"));
        const judged = await a.run(["sh", "-c", `promtool check metrics < ${metrics}`]);
        expect(judged).toMatchObject({ code: 0, stdout: "", stderr: "" });

        const config = join(folder, "prometheus.yml");
        await writeFile(config, prometheusConfig);
        const options = [`--config.file=${config}`, `--storage.tsdb.path=${folder}/data`];
        await a.spawn(["prometheus", ...options, "--web.listen-address=127.0.0.1:9090"]);
        const api = "http://127.0.0.1:9090";
        /** Resolves as soon as Prometheus says so. */
        const told = async (path: string, wanted: RegExp): Promise<void> => {
          const retry = ["--retry", "20", "--retry-connrefused", "--retry-delay", "1"];
          while (!wanted.test((await a.run(["curl", "--silent", ...retry, `${api}${path}`])).stdout));
        };
        const nodeUp = encodeURIComponent('lmserv_node_up{server="vllm"}');
        await told(`/api/v1/query?query=${nodeUp}`, /"value":\[[\d.]+,"1"\]/);
        const isTarget = new RegExp(`"instance":"${a.address}:11434"`);
        await told("/api/v1/targets?state=active", isTarget);
        // Neither an endpoint that is gone nor one that begins empties the list.
        up.kill("SIGKILL");
        await told("/metrics", /^prometheus_sd_http_failures_total [1-9]/m);
        await start();
        const { stdout } = await a.run(["curl", "--silent", `${api}/api/v1/targets?state=active`]);
        expect(stdout).toMatch(isTarget);
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  );
});
