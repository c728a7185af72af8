import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { describeNats } from "./servers/describe.ts";
import { NatsServer } from "./servers/server.ts";
import { openSite } from "./site.ts";

const documented = permissionsIn("../README.md");
const signal = new AbortController().signal;
const login = { user: "lmserv", password: "change me" };

describeNats("the permissions of the README", { concurrent: true }, () => {
  const config = documented.replaceAll("lmserv_default", "lmserv_tests");
  const lines = config.split("\n").filter((line) => line.includes('"$'));

  test("are those of the page about networks", () => {
    expect(permissionsIn("../../../docs/networks.md")).toBe(documented);
  });

  test("are enough to make the bucket, announce, watch, renew and leave", async () => {
    await using server = await NatsServer.start({ config });
    await using one = await openSite({ endpoints: [server.url], ...login });
    await using other = await openSite({ endpoints: [server.url], ...login });
    const held = await one.connection.hold("a", "value", { signal });
    await other.view.lists(["a"]);
    await other.view.until(() => false, 2_500).catch(() => {});
    expect([...other.view.values.keys()]).toEqual(["a"]);
    await held[Symbol.asyncDispose]();
    await other.view.lists([]);
    expect([...one.reports, ...other.reports]).toEqual([]);
  });

  test("let a node be held to its key, where each has a user of its own", async () => {
    const [, user = ""] = /(\{ user: [\s\S]*?\} \})\n/.exec(config) ?? [];
    const userOf = (id: string): string =>
      user.replace('"lmserv"', `"${id}"`).replace("lmserv_tests.n.>", `lmserv_tests.n.${id}.>`);
    const [one, other] = ["1".repeat(32), "2".repeat(32)];
    const held = config.replace(user, `${userOf(one)}\n${userOf(other)}`);
    await using server = await NatsServer.start({ config: held });
    const open = (id: string) => openSite({ endpoints: [server.url], user: id, password: "change me" });
    await using first = await open(one);
    await using second = await open(other);
    await first.connection.hold(`${one}.a`, "mine", { signal });
    await second.connection.hold(`${other}.a`, "mine too", { signal });
    await second.view.lists([`${one}.a`, `${other}.a`]);
    const stealing = second.connection.hold(`${one}.a`, "theirs", { signal });
    await expect(stealing).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    expect(second.view.values.get(`${one}.a`)).toBe("mine");
  });

  test.each(lines.map((line) => [line.trim().replaceAll('"', ""), line]))("need %s", async (_, line) => {
    await using server = await NatsServer.start({ config: config.replace(line, "") });
    const outcome = await attempt(server.url);
    expect(outcome).toContain("PERMISSION_DENIED");
    expect(outcome).toContain("grant that to our user");
  });
});

async function attempt(url: string): Promise<string> {
  try {
    await using client = await openSite({ endpoints: [url], ...login });
    await client.connection.hold("a", "value", { signal });
    const { code, message } = await client.connection.lost;
    return `${code} ${message}`;
  } catch (error) {
    return error instanceof Error && "code" in error ? `${error.code} ${error.message}` : String(error);
  }
}

function permissionsIn(file: string): string {
  const [, text = ""] =
    /```\n(authorization \{[^`]*)```/.exec(readFileSync(new URL(file, import.meta.url), "utf8")) ?? [];
  return text;
}
