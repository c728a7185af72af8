import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type ViteUserConfig } from "vitest/config";
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

/** Tests of what `npm run pack` makes, some of them or all. */
export const packed = (...include: readonly string[]) => {
  const { test, ...shared } = project("e2e:packages", "test/pack", [...include]);
  return { ...shared, test: { ...test, globalSetup: join(import.meta.dirname, "test/pack/artifacts.mjs") } };
};

/** A project for each folder in these that has tests, by its name without the prefix that all packages have. */
export function projectsIn(...parents: readonly string[]): ReturnType<typeof project>[] {
  const folders = parents.flatMap((parent) =>
    readdirSync(parent).map((name) => ({ name, root: `${parent}/${name}` })),
  );
  return folders
    .filter(({ root }) => existsSync(`${root}/test`))
    .map(({ name, root }) => project(name.replace("discovery-", ""), root));
}

/** Starts the tests that mostly wait first, so that none of them is left alone at the end. */
class WaitingFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const waits = ({ project, moduleId }: TestSpecification): boolean =>
      ["etcd", "nats"].includes(project.name) || /\/(gateway|loss)\//.test(moduleId);
    return [...sorted.filter(waits), ...sorted.filter((file) => !waits(file))];
  }
}

export const base = {
  resolve: { conditions: ["@lmserv/source"] },
  ssr: { resolve: { conditions: ["@lmserv/source"] } },
  test: {
    sequence: { sequencer: WaitingFirst },
    // Upper bounds of what hangs; a busy machine comes nowhere near.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    teardownTimeout: 60_000,
    expect: { poll: { timeout: 240_000, interval: 10 } },
  },
} satisfies ViteUserConfig;

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    projects: [
      ...projectsIn("packages", "apps", "examples"),
      project("scripts", "scripts"),
      packed("*.test.mjs"),
      project("e2e", "test", ["{e2e,netlab/test}/**/*.test.ts"]),
    ],
  },
});
