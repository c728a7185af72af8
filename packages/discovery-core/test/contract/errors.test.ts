import { describe, expect, test } from "vitest";
import { toDiscoveryError } from "../../src/authors.ts";
import { DiscoveryError, isDiscoveryError } from "../../src/index.ts";

describe("a DiscoveryError", () => {
  test("says which transport failed, how and why", () => {
    const cause = new Error("EPERM");
    const error = new DiscoveryError("PERMISSION_DENIED", "mdns may not bind", { via: "mdns", cause });
    expect(error).toMatchObject({ name: "DiscoveryError", code: "PERMISSION_DENIED", via: "mdns", cause });
  });

  test("may be of no transport, and without a cause", () => {
    const error = new DiscoveryError("REGISTRY_FULL", "full");
    expect(error.via).toBeNull();
    expect("cause" in error).toBe(false);
  });

  test("is recognised from another copy of the package", () => {
    const foreign = Object.assign(new Error("x"), { name: "DiscoveryError", code: "SEND_FAILED", via: null });
    expect(isDiscoveryError(foreign)).toBe(true);
    expect(toDiscoveryError(foreign, "TRANSPORT_FAILED", "mdns")).toBe(foreign);
  });

  test.each([
    new Error("x"),
    { name: "DiscoveryError", code: "SEND_FAILED" },
    null,
    undefined,
    "DiscoveryError",
  ])("is not %o", (thrown) => {
    expect(isDiscoveryError(thrown)).toBe(false);
  });
});

describe("whatever was thrown becomes one", () => {
  test.each([
    ["EACCES", "PERMISSION_DENIED"],
    ["EPERM", "PERMISSION_DENIED"],
    ["EADDRINUSE", "ADDRESS_IN_USE"],
    ["ENETDOWN", "TRANSPORT_FAILED"],
  ])("by its system code: %s is %s", (system, code) => {
    const cause = Object.assign(new Error(`bind ${system}`), { code: system });
    const error = toDiscoveryError(cause, "TRANSPORT_FAILED", "mdns");
    expect(error).toMatchObject({ code, via: "mdns", message: `bind ${system}`, cause });
  });

  test.each([
    ["a string", "boom", "boom"],
    ["nothing", undefined, "undefined"],
    ["null", null, "null"],
    ["a symbol", Symbol("boom"), "Symbol(boom)"],
  ])("also when it is %s", (_, thrown, message) => {
    expect(toDiscoveryError(thrown, "SEND_FAILED", "mdns")).toMatchObject({ code: "SEND_FAILED", message });
  });
});
