import { beforeEach, describe, expect, test } from "vitest";
import { Machine, served } from "../harness.ts";

let machine: Machine;
const box = { id: "box", info: "box", port: 8_000, server: "vllm", apis: ["openai"] };

beforeEach(() => {
  machine = new Machine();
  machine.isTerminal = true;
});

const erased = "\r\u001b[K";

/** Texts that were shown for a while, without their frames. */
function shown(): readonly string[] {
  const painted = [...machine.stderr.text.matchAll(/\r[|/\\-] ([^\r]*)/g)];
  return [...new Set(painted.map(([, text = ""]) => text))];
}

/** Lines that stay on the terminal. */
function left(): readonly string[] {
  return machine.stderr.lines.map((line) => line.split(erased).at(-1) ?? "");
}

/** Has each opening take a moment; resolves when one is under way. */
function openSlowly(): () => Promise<void> {
  let isOpening = false;
  const plugin = machine.plugins.get("mdns");
  if (!plugin) throw new TypeError("there is no mdns");
  machine.plugins.set("mdns", {
    ...plugin,
    create: async (options, context) => {
      const transport = await plugin.create(options, context);
      return {
        ...transport,
        open: async (opening, ending) => {
          isOpening = true;
          await new Promise<void>((resolve) => machine.clock.schedule(2_000, resolve));
          return transport.open(opening, ending);
        },
      };
    },
  });
  return () => machine.until(() => isOpening);
}

describe("on a terminal", () => {
  test.each([
    [["export", "json"], "looking for LLM servers"],
    [["env"], "looking for LLM servers"],
    [["discover"], "looking for LLM servers"],
  ])("%j says what it does, and takes that back", async (argv, text) => {
    const opening = openSlowly();
    machine.network.appear(box);
    const { ended } = machine.start(...argv);
    await opening();
    await machine.clock.advance(10_000);
    expect(await ended).toBe(0);
    expect(shown()).toEqual([text]);
    expect(machine.stderr.text.endsWith(erased)).toBe(true);
    expect(machine.stdout.text).not.toContain("\u001b[K");
  });

  test("export --watch says so until the first look is over", async () => {
    const running = machine.start("export", "json", "--watch");
    await machine.until(() => machine.network.sent > 0);
    await machine.clock.advance(10_000);
    await machine.until(() => machine.stdout.text !== "");
    expect(shown()).toEqual(["looking for LLM servers"]);
    const told = machine.stderr.text;
    await machine.clock.advance(10_000);
    expect(machine.stderr.text).toBe(told);
    running.signal("SIGTERM");
    expect(await running.ended).toBe(0);
  });

  test.each(["up", "gateway", "announce"])("%s says what it opens", async (command) => {
    const opening = openSlowly();
    machine.accepting.add("127.0.0.1");
    machine.servers.set(8_000, served("vllm", { apis: ["openai"], models: ["llama3"] }));
    const running = machine.start(command);
    await opening();
    await machine.clock.advance(1_000);
    await machine.until(() => machine.stderr.text.includes("opening mdns"));
    await machine.clock.advance(10_000);
    await machine.until(() => /announcing|listening/.test(machine.stderr.text));
    expect(shown()).toContain("opening mdns");
    for (const line of left()) expect(line).toMatch(/^lmserv: /);
    running.signal("SIGTERM");
    expect(await running.ended).toBe(0);
  });

  test("service says what it runs, above the messages", async () => {
    machine.serviceHost = {
      ...machine.serviceHost,
      write: async () => {},
      run: async () => {
        await new Promise<void>((resolve) => machine.clock.schedule(2_000, resolve));
        return { code: 0, output: "" };
      },
    };
    const { ended } = machine.start("service", "install", "up");
    await machine.until(() => machine.clock.pending > 0);
    await machine.clock.advance(5_000);
    expect(await ended).toBe(0);
    const steps = ["systemctl daemon-reload", "systemctl enable --now lmserv-up.service"];
    expect(shown()).toEqual(steps.map((step) => `running ${step}`));
    const notes = left().filter((line) => line.includes("ran "));
    expect(notes).toEqual(steps.map((step) => `lmserv: ran ${step}`));
  });

  test.each([["-q"], ["-v"]])("export %s shows nothing", async (flag) => {
    const opening = openSlowly();
    machine.network.appear(box);
    const { ended } = machine.start("export", "json", flag);
    await opening();
    await machine.clock.advance(10_000);
    expect(await ended).toBe(0);
    expect(shown()).toEqual([]);
  });
});

test("a file gets none of it", async () => {
  machine.isTerminal = false;
  const opening = openSlowly();
  machine.network.appear(box);
  const { ended } = machine.start("export", "json");
  await opening();
  await machine.clock.advance(10_000);
  expect(await ended).toBe(0);
  expect(machine.stderr.text).toBe("");
});
