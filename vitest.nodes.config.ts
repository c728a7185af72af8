import { defineConfig } from "vitest/config";
import { base, packed, projectsIn } from "./vitest.config.ts";

// Tests for later versions of Node, besides all on the lowest. Code on sockets, files, processes and the modules of
// Node differs from version to version. Pure code, also on a virtual clock, is JavaScript alone; trials of failing
// servers mostly test the servers.
const differing = [
  "cli",
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
  "**/discovery-mdns/test/{querier,responder}/**",
  "**/*.model.test.ts",
];

/** Tests of how peers are reached; of these packages, all others are trials of their peers. */
const connections: Readonly<Record<string, string[]>> = {
  etcd: ["test/{opening,tls}.test.ts"],
  mesh: ["test/link/**/*.test.ts", "test/platform.test.ts"],
  nats: ["test/connecting.test.ts"],
};

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    projects: [
      ...projectsIn("packages", "apps", "examples")
        .filter(({ test }) => differing.includes(test.name))
        .map(({ test, ...project }) => {
          const include = connections[test.name] ?? test.include;
          return { ...project, test: { ...test, include, exclude: alikeEverywhere } };
        }),
      packed("install.test.mjs"),
    ],
  },
});
