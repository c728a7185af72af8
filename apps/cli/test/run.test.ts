import { beforeEach, describe, expect, it } from "vitest";
import { Machine } from "./harness.ts";

let machine: Machine;

beforeEach(() => {
  machine = new Machine();
  machine.network.appear({ id: "box-1", port: 8000, info: "gpu-box-01" });
});

function failure(code: string): Error {
  return Object.assign(new Error(`write ${code}`), { code });
}

describe("an output that fails", () => {
  it("is success when its reader has left", async () => {
    machine.stdout.failure = failure("EPIPE");
    expect(await machine.run(3_000, "discover")).toBe(0);
    expect(machine.stderr.text).toBe("");
  });

  it("is success for the help too", async () => {
    machine.stdout.failure = failure("EPIPE");
    expect(await machine.start("discover", "--help").ended).toBe(0);
  });

  it("makes 70 when it is full", async () => {
    machine.stdout.failure = failure("ENOSPC");
    expect(await machine.run(3_000, "discover", "--json")).toBe(70);
    expect(machine.stderr.text).toBe("lmserv: error: cannot write the result: write ENOSPC\n");
  });

  it("is no reason to fail when it is for messages only", async () => {
    machine.stderr.failure = failure("EPIPE");
    expect(await machine.run(3_000, "discover", "-v")).toBe(0);
    expect(machine.stdout.text).toContain("gpu-box-01");
  });
});

describe("a reader that leaves", () => {
  it.each([
    ["discover", "--timeout", "10m"],
    ["discover", "--watch"],
  ])("ends what it alone was for, as a success: %s %s", async (...argv) => {
    machine.interfaces = {};
    const { ended, leave } = machine.start(...argv);
    await machine.until(leave);
    expect(await ended).toBe(0);
    expect(leave()).toBe(false);
    expect(machine.clock.pending).toBe(0);
  });

  it("does not end an announcement", async () => {
    const { ended, leave, signal } = machine.start("announce", "--port", "8000", "--no-check");
    await machine.until(() => machine.stderr.text.includes("announced"));
    expect(leave()).toBe(false);
    signal("SIGTERM");
    expect(await ended).toBe(0);
  });
});

describe("a signal", () => {
  it("is the system's again when the command has ended", async () => {
    const { ended, signal } = machine.start("--version");
    expect(signal("SIGINT")).toBe(true);
    expect(await ended).toBe(0);
    expect(signal("SIGINT")).toBe(false);
  });
});
