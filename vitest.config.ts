import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const project = (name: string, root: string, include = ["test/**/*.test.{ts,mjs}"]) => ({
  extends: true as const,
  test: {
    // No module keeps state, so that the files of a package can share one load of it.
    isolate: false,
    name,
    root,
    include,
  },
});

/** Starts the tests that mostly wait first, so that none of them is left alone at the end. */
class WaitingFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const waits = ({ project, moduleId }: TestSpecification): boolean =>
      ["etcd", "nats"].includes(project.name) || /\/(gateway|loss)\//.test(moduleId);
    return [...sorted.filter(waits), ...sorted.filter((file) => !waits(file))];
  }
}

export default defineConfig({
  resolve: { conditions: ["@lmserv/source"] },
  ssr: { resolve: { conditions: ["@lmserv/source"] } },
  test: {
    sequence: { sequencer: WaitingFirst },
    // Upper bounds of what hangs; a busy machine comes nowhere near.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    teardownTimeout: 60_000,
    expect: { poll: { timeout: 240_000, interval: 10 } },
    projects: [
      project("core", "packages/discovery-core"),
      project("testkit", "packages/discovery-testkit"),
      project("fingerprint", "packages/discovery-fingerprint"),
      project("mdns", "packages/discovery-mdns"),
      project("arp", "packages/discovery-arp"),
      project("config", "packages/discovery-config"),
      project("network", "packages/discovery-network"),
      project("signing", "packages/discovery-signing"),
      project("mesh", "packages/discovery-mesh"),
      project("store", "packages/discovery-store"),
      project("etcd", "packages/discovery-etcd"),
      project("nats", "packages/discovery-nats"),
      project("client", "packages/discovery-client"),
      project("gateway", "packages/discovery-gateway"),
      project("cli", "apps/cli"),
      project("demo", "examples/demo"),
      project("custom-transport", "examples/custom-transport"),
      project("scripts", "scripts"),
      project("e2e", "test", ["{e2e,netlab/test}/**/*.test.ts"]),
    ],
  },
});
