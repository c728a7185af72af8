import { createLan } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import {
  announce,
  discover,
  type Listing,
  lmserv,
  type Watch,
  type WatchEvent,
  watchHealth,
} from "../command/command.ts";
import { serve } from "../fingerprint/look-alike.ts";

const isKind =
  (server: string, type: WatchEvent["type"] = "updated", state?: string) =>
  ({ type: told, node }: WatchEvent): boolean =>
    told === type && node?.server === server && (state === undefined || node.health?.state === state);

/** Fits events after those that came so far. */
function next(seen: Watch, fits: (event: WatchEvent) => boolean): Promise<WatchEvent> {
  const from = seen.events().length;
  let count = 0;
  return seen.event((event) => {
    count += 1;
    return count > from && fits(event);
  });
}

describeNet("one machine with three servers", () => {
  test("announces each for what it is, follows them, and whoever looks knows how they are", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    const ollama = await serve(a, "ollama", 11_434);
    await serve(a, "llama.cpp", 8_080);
    await serve(a, "lmserv", 8_000);
    await a.spawn(lmserv("announce"));

    const seen = await watchHealth(b);
    const listed = await Promise.all([
      seen.event(isKind("ollama", "updated", "healthy")),
      seen.event(isKind("llama.cpp", "updated", "healthy")),
      seen.event((event) => isKind("lmserv")(event) && event.node?.health !== null),
    ]);
    expect(listed.map(({ node }) => [node?.url, node?.health?.models.map(({ name }) => name)])).toEqual([
      [`http://${a.address}:11434/api/chat`, ["first"]],
      [`http://${a.address}:8080/v1/chat/completions`, ["first"]],
      [`http://${a.address}:8000/chat`, []],
    ]);

    ollama.kill("SIGSTOP");
    await seen.event(isKind("ollama", "updated", "silent"));
    ollama.kill("SIGCONT");
    await next(seen, isKind("ollama", "updated", "healthy"));

    ollama.stdin.write("pulled\n");
    await seen.event(({ node }) => node?.server === "ollama" && node.models.includes("pulled"));
    ollama.kill("SIGKILL");
    expect(await seen.event(isKind("ollama", "down"))).toMatchObject({ reason: "goodbye" });
    await serve(a, "ollama", 11_434);
    await next(seen, isKind("ollama", "up"));
  });
});

describeNet("a server with 301 models", () => {
  test("is announced with the first, says so, and is found by one of the last, which it is asked for", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    await serve(a, "ollama", 4_711, "300");
    await announce(a, "--port", "4711");
    const { listing } = await discover(b, "--first", "--timeout", "60s");
    expect(listing.nodes).toMatchObject([{ port: 4_711, modelsCut: true }]);
    expect(listing.nodes[0]?.models).not.toContain("vendor/model-250");

    const named = ["--model", "vendor/model-250", "--first", "--timeout", "60s"];
    const { code, stdout } = await b.run(lmserv("discover", "--json", ...named));
    const found: Listing = JSON.parse(stdout);
    expect(found.nodes).toMatchObject([{ port: 4_711, health: { state: "healthy" } }]);
    expect(found.nodes[0]?.health?.models).toHaveLength(301);
    expect(code).toBe(0);
  });
});
