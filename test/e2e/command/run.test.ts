import { fileURLToPath } from "node:url";
import { createLan, type Host, type HostProcess, python } from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { describe, expect, test } from "vitest";
import { type ListedNode, lmserv, type Watch, type WatchEvent, watch } from "./command.ts";

const lookAlike = fileURLToPath(new URL("../fingerprint/look-alike.mjs", import.meta.url));
const signalCounter = fileURLToPath(new URL("./signal-counter.mjs", import.meta.url));
const terminalKeys = fileURLToPath(new URL("./terminal-keys.py", import.meta.url));
const closedTerminal = fileURLToPath(new URL("./closed-terminal.py", import.meta.url));

const down = ({ type }: WatchEvent): boolean => type === "down";

async function up({ event }: Watch, server: string): Promise<ListedNode> {
  const { node } = await event((one) => one.type === "up" && one.node?.server === server);
  if (!node) throw new TypeError("an event without its node");
  return node;
}

/** `lmserv run` of a shell, below which a look-alike of a server begins to listen. */
function runLookAlike(host: Host, kind: string, port: number): Promise<HostProcess> {
  const script = `"$0" "$1" ${kind} ${port} & echo "server $!"; wait "$!"; echo over; exit 7`;
  return host.spawn(lmserv("run", "--", "sh", "-c", script, process.execPath, lookAlike));
}

/** Ends the server itself, two processes below `lmserv`. */
async function killServer(host: Host, running: HostProcess): Promise<void> {
  const line = await running.line((text) => text.startsWith("server "));
  await host.run(["kill", "-9", line.split(" ")[1] ?? ""]);
}

describeNet("a server that lmserv runs", () => {
  describe.concurrent("below a shell", () => {
    test("is seen elsewhere while it answers, and its end as a goodbye", async () => {
      await using lan = await createLan({ hosts: 2 });
      const [a, b] = lan.hosts;
      const seen = await watch(b);
      const running = await runLookAlike(a, "ollama", 11_434);
      expect(await up(seen, "ollama")).toMatchObject({
        host: a.address,
        port: 11_434,
        url: `http://${a.address}:11434/api/chat`,
        models: ["first"],
      });
      await killServer(a, running);
      expect(await running.exited).toEqual({ code: 7, signal: null });
      expect(await seen.event(down)).toMatchObject({ reason: "goodbye", node: { port: 11_434 } });
      expect(running.stderrText).not.toContain("warning");
    });

    test("is told from others' servers, and from that of a second command", async () => {
      await using lan = await createLan({ hosts: 2 });
      const [a, b] = lan.hosts;
      const other = await a.spawn([process.execPath, lookAlike, "lmserv", "8000"]);
      await other.line((line) => line === "listening");
      const seen = await watch(b);
      const first = await runLookAlike(a, "ollama", 11_434);
      const second = await runLookAlike(a, "llama.cpp", 8_080);
      const ids = [(await up(seen, "ollama")).id, (await up(seen, "llama.cpp")).id];
      expect(new Set(ids).size).toBe(2);
      await killServer(a, first);
      expect(await seen.event(down)).toMatchObject({ reason: "goodbye", node: { server: "ollama" } });
      second.kill("SIGTERM");
      await seen.event((event) => down(event) && event.node?.server === "llama.cpp");
      expect(seen.events().filter(({ node }) => node?.port === 8_000)).toEqual([]);
    });

    test("is the same node when it is started again, and a restart in between is no end", async () => {
      await using lan = await createLan({ hosts: 2 });
      const [a, b] = lan.hosts;
      const seen = await watch(b);
      const run = lmserv("run", "--", process.execPath, lookAlike, "ollama", "11434");
      const running = await a.spawn(run);
      const { id } = await up(seen, "ollama");
      running.stdin.write("second\n");
      running.stdin.write("restart\n");
      await running.line((line) => line === "restarted");
      await seen.event((event) => event.type === "updated" && event.node?.models.length === 2);
      expect(seen.events().filter(down)).toEqual([]);
      running.kill("SIGTERM");
      await seen.event(down);
      const from = seen.events().length;
      await a.spawn(run);
      await seen.process.line((line) => line.includes('"up"') && line.includes(id), { from });
    });
  });
});

describeNet("a command that lmserv runs", () => {
  test("gets each signal once, and gives its exit code", async () => {
    await using lan = await createLan({ hosts: 1 });
    const [a] = lan.hosts;
    const running = await a.spawn(lmserv("run", "--", process.execPath, signalCounter));
    await running.line((line) => line === "ready");
    const signals = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGINT", "SIGHUP", "SIGTERM"] as const;
    for (const [index, name] of signals.entries()) {
      running.kill(name);
      await running.line((line) => line === `${name} ${index + 1}`);
    }
    expect(await running.exited).toEqual({ code: signals.length, signal: null });
  });

  const withPython = needsPeers(["python"]);

  withPython("gets what the keys of its terminal send once, from that", async () => {
    await using lan = await createLan({ hosts: 1 });
    const [a] = lan.hosts;
    const command = lmserv("run", "-q", "--", process.execPath, signalCounter);
    const keys = "\u0003\u0003\u001c\u0003";
    const { stdout } = await a.run([python, terminalKeys, keys, ...command]);
    expect(stdout).toBe("SIGINT 1 SIGINT 2 SIGQUIT 3 SIGINT 4 SIGTERM 5 5\n");
  });

  for (const [place, shell] of [
    ["alone", []],
    ["in a shell", ["sh", "-c", '"$@"; exit "$?"', "sh"]],
  ] as const) {
    withPython(`ends with its terminal, with a goodbye: ${place}`, async () => {
      await using lan = await createLan({ hosts: 2 });
      const [a, b] = lan.hosts;
      const seen = await watch(b);
      const command = [...shell, ...lmserv("run", "--", process.execPath, lookAlike, "ollama", "11434")];
      await a.run([python, closedTerminal, "announced ollama", ...command]);
      expect(await seen.event(down)).toMatchObject({ reason: "goodbye", node: { server: "ollama" } });
    });
  }
});
