import { MemoryNetwork, memory } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { Machine, type Running } from "../harness.ts";

const box = { id: "box-1", port: 8000, info: "gpu-box-01", path: "/chat", server: "lmserv" };

let machine: Machine;
let running: Running;

beforeEach(() => {
  machine = new Machine();
  machine.isTerminal = true;
  machine.env.NO_COLOR = "1";
});

/** Screen of a terminal that knows the sequences of the live table, and no others. */
function screen(): readonly string[] {
  let lines: readonly string[] = [];
  const write = (text: string): void => {
    const [first = "", ...rest] = text.replace("\r", "").split("\n");
    lines = [...lines.slice(0, -1), `${lines.at(-1) ?? ""}${first}`, ...rest];
  };
  const [before = "", ...sequences] = machine.stdout.text.split("\u001b[");
  write(before);
  for (const sequence of sequences) {
    const [, count = "", letter, text = ""] = /^(\d*)([A-Z])(.*)$/s.exec(sequence) ?? [];
    if (letter === "A") lines = [...lines.slice(0, lines.length - Number(count) - 1), ""];
    else if (letter === "J" && count === "2") lines = [""];
    else expect(["J", "H"]).toContain(letter);
    write(text);
  }
  return lines;
}

async function watch(...argv: string[]): Promise<void> {
  running = machine.start("discover", "--watch", ...argv);
  await machine.until(() => machine.network.sent > 0);
}

async function interrupt(): Promise<void> {
  running.signal("SIGINT");
  expect(await running.ended).toBe(130);
  expect(machine.clock.pending).toBe(0);
}

/** Time such as `00:00:07` after so many ms, in the zone of this machine. */
function timeAt(ms: number): string {
  return new Date(Date.parse("2026-01-01T00:00:00.000Z") + ms).toTimeString().slice(0, 8);
}

describe("a watch on a terminal", () => {
  it("is one table in its place, with the latest events below it", async () => {
    await watch();
    machine.network.appear(box);
    await machine.clock.advance(2_000);
    machine.network.appear({ ...box, id: "box-2", port: 8001, info: "书房 🎮" });
    await machine.clock.advance(5_000);
    machine.network.vanish("box-2");
    await machine.clock.advance(1_050);
    expect(screen()).toEqual([
      `1 LLM server at ${timeAt(8_050)}; stop with Ctrl-C`,
      "STATE    NAME        SERVER  MODELS  URL                          AGE",
      "healthy  gpu-box-01  lmserv  -       http://198.18.0.2:8000/chat  8s",
      "",
      `${timeAt(0)}  up       gpu-box-01  198.18.0.2:8000`,
      `${timeAt(0)}  updated  gpu-box-01  198.18.0.2:8000  healthy`,
      `${timeAt(2_000)}  up       书房 🎮  198.18.0.3:8001`,
      `${timeAt(2_000)}  updated  书房 🎮  198.18.0.3:8001  healthy`,
      `${timeAt(7_000)}  down     书房 🎮  198.18.0.3:8001  goodbye`,
      "",
    ]);
    await interrupt();
    expect(screen()[0]).toContain("1 LLM server");
  });

  it("fits a low and narrow terminal, and says how many rows it leaves out", async () => {
    machine.stdout.columns = 40;
    machine.stdout.rows = 14;
    await watch();
    for (let index = 0; index < 60; index += 1)
      machine.network.appear({ ...box, id: `box-${index}`, port: 8000 + index, info: `gpu-box-${index}` });
    await machine.clock.advance(1_000);
    const lines = screen();
    expect(lines[0]).toContain("60 LLM servers at");
    expect(lines).toHaveLength(14);
    expect(lines).toContain("and 56 more; --json has them all");
    expect(Math.max(...lines.map(({ length }) => length))).toBe(40);
    await interrupt();
  });

  it("begins anew on a terminal of another size", async () => {
    machine.network.appear(box);
    await watch();
    await machine.clock.advance(1_000);
    machine.stdout.columns = 40;
    machine.stdout.emit("resize");
    expect(screen()[1]).toBe("STATE    NAME        URL");
    await interrupt();
    expect(machine.stdout.listenerCount("resize")).toBe(0);
  });

  it("writes nothing while nothing changes but once a second", async () => {
    machine.network.appear(box);
    await watch();
    await machine.clock.advance(50);
    const before = machine.stdout.text.length;
    await machine.clock.advance(999);
    expect(machine.stdout.text.length).toBe(before);
    await machine.clock.advance(1);
    expect(machine.stdout.text.length).toBeGreaterThan(before);
    await interrupt();
  });

  it("says warnings above the table", async () => {
    const other = new MemoryNetwork();
    other.refuse("ADDRESS_IN_USE");
    machine.plugins.set("smoke", machine.factory(memory({ network: other, name: "smoke" })));
    machine.network.appear(box);
    await watch("--transport", "mdns,smoke");
    await machine.clock.advance(1_000);
    expect(machine.stderr.text).toContain("lmserv: warning: smoke: ADDRESS_IN_USE: ");
    expect(screen().filter((line) => line.includes("LLM server"))).toHaveLength(1);
    await interrupt();
  });

  it.each([
    [["--json"], {}],
    [["-v"], {}],
    [[], { TERM: "dumb" }],
  ])("prints lines with %j in %j", async (argv, env) => {
    Object.assign(machine.env, env);
    machine.network.appear(box);
    await watch(...argv);
    await machine.clock.advance(1_000);
    expect(machine.stdout.text).not.toContain("\u001b[J");
    expect(machine.stdout.text).toContain("gpu-box-01");
    await interrupt();
  });
});
