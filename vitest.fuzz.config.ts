import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["@lmserv/source"] },
  ssr: { resolve: { conditions: ["@lmserv/source"] } },
  test: { include: ["packages/*/fuzz/**/*.fuzz.ts"], pool: "forks", execArgv: ["--expose-gc"] },
});
