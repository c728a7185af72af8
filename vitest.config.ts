import { configDefaults, defineConfig } from "vitest/config";

/** What is held against the RFCs takes minutes and writes a page: `npm run conformance` runs it. */
const conformance = process.env.LMSERV_CONFORMANCE_TABLE ? [] : ["test/conformance/**", "test/rfc/**"];

const project = (name: string, root: string) => ({
  extends: true as const,
  test: {
    name,
    root,
    include: ["test/**/*.test.{ts,mjs}"],
    exclude: [...configDefaults.exclude, ...conformance],
  },
});

export default defineConfig({
  resolve: { conditions: ["@lmserv/source"] },
  ssr: { resolve: { conditions: ["@lmserv/source"] } },
  test: {
    testTimeout: 20_000,
    hookTimeout: 30_000,
    projects: [
      project("core", "packages/discovery-core"),
      project("testkit", "packages/discovery-testkit"),
      project("mdns", "packages/discovery-mdns"),
      project("cli", "apps/cli"),
      project("demo", "examples/demo"),
      project("scripts", "scripts"),
      project("net", "test/net"),
    ],
  },
});
