import { beforeEach, describe, expect, it } from "vitest";
import { Machine } from "../harness.ts";

const said = { path: "/chat", server: "lmserv" };
const box = { id: "box-1", port: 8000, info: "gpu-box-01", ...said, models: ["llama-3.3-70b", "qwen3-32b"] };

let machine: Machine;

beforeEach(() => {
  machine = new Machine();
});

describe("lmserv discover, with checks of the servers,", () => {
  it("leaves the state out with --no-check, and is not checked", async () => {
    machine.network.appear(box);
    machine.health = null;
    expect(await machine.run(3_000, "discover", "--no-check")).toBe(0);
    expect(machine.stdout.lines[0]).toMatch(/^NAME {2}/);
  });

  it("shows that a check did not end within 700 ms", async () => {
    machine.network.appear(box);
    machine.health = null;
    expect(await machine.run(3_700, "discover")).toBe(0);
    expect(machine.stdout.lines[1]).toMatch(/^\? {6}gpu-box-01 /);
  });

  it.each([
    [["--model", "QWEN3-32B"], 0],
    [["--model", "mistral"], 1],
    [["--server", "lmserv"], 0],
    [["--server", "ollama"], 1],
    [["--healthy"], 0],
  ])("lists only what fits %j", async (argv, code) => {
    machine.network.appear(box);
    expect(await machine.run(3_000, "discover", ...argv)).toBe(code);
    expect(machine.stdout.text !== "").toBe(code === 0);
  });

  it("lists nothing as healthy that is silent", async () => {
    machine.network.appear(box);
    machine.health = "silent";
    expect(await machine.run(3_000, "discover", "--healthy")).toBe(1);
  });

  it.each([
    ["url", "http://198.18.0.1:8000/v1/chat/completions"],
    ["base", "http://198.18.0.1:8000"],
    ["openai", "http://198.18.0.1:8000/v1"],
  ])("prints one URL a line with --print %s", async (kind, url) => {
    machine.network.appear({ ...box, path: "/v1/chat/completions", apis: ["openai"] });
    machine.network.appear({ id: "chat-only", port: 9, info: "" });
    expect(await machine.run(3_000, "discover", "--print", kind)).toBe(0);
    expect(machine.stdout.lines[0]).toBe(url);
    expect(machine.stdout.lines).toHaveLength(kind === "openai" ? 1 : 2);
  });
});
