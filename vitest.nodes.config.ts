import { defineConfig } from "vitest/config";
import { base, packed, projectsIn } from "./vitest.config.ts";

// Tests for later versions of Node, besides all on the lowest. Code on sockets, files, processes and the modules of
// Node differs from version to version. Pure code, also on a virtual clock, is JavaScript alone; trials of failing
// servers mostly test the servers.
const differing = [
  "cli",
  "demo",
  "custom-transport",
  "etcd",
  "fingerprint",
  "signing",
  "mdns",
  "mesh",
  "nats",
  "network",
];
const alikeEverywhere = [
  "**/node_modules/**",
  "**/conformance/**",
  "**/life/**",
  "**/simulation/**",
  "**/strangers.test.ts",
  "**/*.model.test.ts",
  "**/cluster.test.ts",
  "**/discovery-{etcd,nats}/test/conformance.test.ts",
  "**/faults.test.ts",
];

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    projects: [
      ...projectsIn("packages", "apps", "examples")
        .filter(({ test }) => differing.includes(test.name))
        .map((project) => ({ ...project, test: { ...project.test, exclude: alikeEverywhere } })),
      packed("install.test.mjs"),
    ],
  },
});
