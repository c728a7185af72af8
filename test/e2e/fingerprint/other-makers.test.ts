import { createLan, type Host } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { announce, type ListedNode, lmserv, type Watch, watchHealth } from "../command/command.ts";
import { aimock, mockLlm } from "./other-makers.ts";

const ports = { aimock: 4_711, mockLlm: 4_712 } as const;
const both = Object.values(ports).join();

interface ModelList {
  readonly data: readonly { readonly id: string }[];
}

/** Models in the server's own words. */
async function modelsOf(host: Host, port: number): Promise<readonly string[]> {
  const { stdout } = await host.run(["curl", "--silent", `http://127.0.0.1:${port}/v1/models`]);
  const { data }: ModelList = JSON.parse(stdout);
  return data.map(({ id }) => id);
}

/** A node once it was asked how it is. */
async function checked({ event }: Watch, port: number): Promise<ListedNode | undefined> {
  return (await event(({ node }) => node?.port === port && node.health !== null)).node;
}

describeNet("a server of another maker, of a kind that is unknown", () => {
  test.concurrent("is announced, and found by a sweep, as what it says itself", async () => {
    await using lan = await createLan({ hosts: 3, neighbors: "learned" });
    const [a, b, c] = lan.hosts;
    await Promise.all([aimock(a, ports.aimock), mockLlm(a, ports.mockLlm)]);
    await a.spawn(lmserv("announce", "--ports", both));
    const announced = await watchHealth(b);
    const swept = await watchHealth(c, "--transport", "arp", "--sweep", "--ports", both);
    for (const port of Object.values(ports)) {
      const models = await modelsOf(a, port);
      expect(models).not.toEqual([]);
      const expected = {
        url: `http://${a.address}:${port}/v1/chat/completions`,
        server: null,
        apis: ["openai"],
        models,
        auth: "none",
        health: { state: "healthy", models: models.map((name) => ({ name })) },
      };
      expect(await checked(announced, port)).toMatchObject(expected);
      expect(await checked(swept, port)).toMatchObject(expected);
    }
  });

  test.concurrent("is left out with the reason where it shows nothing without a key, unless it is named", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    await aimock(a, ports.aimock, "secret");
    const every = await a.spawn(lmserv("announce", "--ports", String(ports.aimock)));
    const reason = await every.stderrLine((line) => line.includes(`port ${ports.aimock} is not announced`));
    expect(reason).toContain("it speaks HTTP, and shows no sign of an LLM server; --port announces it");
    every.kill("SIGTERM");
    await every.exited;

    const seen = await watchHealth(b);
    const one = await announce(a, "--port", String(ports.aimock));
    expect(one.stderrText).toContain(`announced an unknown server on port ${ports.aimock} `);
    expect(await checked(seen, ports.aimock)).toMatchObject({
      server: null,
      apis: [],
      models: [],
      health: { state: "auth" },
    });
  });
});
