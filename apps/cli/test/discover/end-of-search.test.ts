import { expect, it } from "vitest";
import { Machine } from "../harness.ts";

it.each([
  [[], 0, 100],
  [["--timeout", "5s"], 0, 5_000],
  [["--server", "ollama"], 1, 3_000],
  [["--wait", "2"], 1, 3_000],
])("a search with %j ends with %d after %d ms", async (argv, code, durationMs) => {
  const machine = new Machine();
  machine.network.appear({ id: "box-1", port: 8000, info: "gpu-box-01", server: "lmserv" });
  expect(await machine.run(5_000, "discover", "--json", ...argv)).toBe(code);
  expect(JSON.parse(machine.stdout.text)).toMatchObject({ complete: true, durationMs });
});
