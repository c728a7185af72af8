import { fileURLToPath } from "node:url";
import { createLan } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { serve } from "../arp/neighbors.ts";
import { watchOf } from "../command/command.ts";
import { watchedList } from "../command/watched-list.ts";
import { isStaleBy, lossesOf } from "./events.ts";

/** The command before it is bundled, with no program on its path: it reads the table as a file, or not at all. */
const program = fileURLToPath(new URL("../../../apps/cli/dist/main.js", import.meta.url));
const search = ["discover", "--watch", "--json", "--no-check", "--transport", "arp", "--sweep"];
/** Hides its table from the command, and shows it again, as it is told on its standard input. */
const script = `
PATH=/nowhere "$@" </dev/null & table=/proc/$!/net
while read -r order; do
  case $order in
    hide) mount -t tmpfs none "$table" ;;
    show) umount "$table" ;;
  esac
done`;

describeNet("ARP whose table cannot be read", () => {
  test("has stale nodes, and fresh ones once it can", async () => {
    await using lan = await createLan({ hosts: 2, neighbors: "learned" });
    const [seeker, server] = lan.hosts;
    await serve(server, "lmserv", 8000);
    const command = [process.execPath, program, ...search];
    const seen = await watchOf(
      await seeker.spawn(["unshare", "--mount", "sh", "-c", script, "sh", ...command]),
    );
    const list = watchedList(seen);
    await list.until((nodes) => nodes.length === 1 && nodes.every(isStaleBy(null)));

    seen.process.stdin.write("hide\n");
    const lost = await seen.event(({ type }) => type === "lost");
    await list.until((nodes) => nodes.length === 1 && nodes.every(isStaleBy(lost.code ?? "")));
    seen.process.stdin.write("show\n");
    await list.until((nodes) => nodes.length === 1 && nodes.every(isStaleBy(null)));
    expect(lossesOf(seen)).toEqual([`lost arp ${lost.code}`, "recovered arp"]);
    expect(seen.events().filter(({ type }) => type === "down")).toEqual([]);
  });
});
