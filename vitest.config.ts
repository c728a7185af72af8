import { defineConfig } from "vitest/config";

const project = (name: string, root: string, retry = 0) => ({
  extends: true as const,
  test: {
    retry,
    // No module keeps state, so that the files of a package can share one load of it.
    isolate: false,
    name,
    root,
    include: ["test/**/*.test.{ts,mjs}"],
  },
});

/**
 * Its tests are held to the real clock beside other programs, and fail where the machine itself stands still; they
 * have a second try, which `npm test` names.
 */
const clocked = (name: string, root: string) => project(name, root, 1);

export default defineConfig({
  resolve: { conditions: ["@lmserv/source"] },
  ssr: { resolve: { conditions: ["@lmserv/source"] } },
  test: {
    // Upper bounds of what hangs; a busy machine comes nowhere near.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    teardownTimeout: 60_000,
    expect: { poll: { timeout: 240_000, interval: 10 } },
    projects: [
      project("core", "packages/discovery-core"),
      project("testkit", "packages/discovery-testkit"),
      project("identify", "packages/discovery-identify"),
      project("mdns", "packages/discovery-mdns"),
      project("arp", "packages/discovery-arp"),
      project("config", "packages/discovery-config"),
      project("network", "packages/discovery-network"),
      project("identity", "packages/discovery-identity"),
      project("mesh", "packages/discovery-mesh"),
      project("fleet", "packages/discovery-fleet"),
      clocked("etcd", "packages/discovery-etcd"),
      clocked("nats", "packages/discovery-nats"),
      clocked("cli", "apps/cli"),
      project("demo", "examples/demo"),
      project("custom-transport", "examples/custom-transport"),
      project("scripts", "scripts"),
      clocked("net", "test/net"),
    ],
  },
});
