import { readFileSync } from "node:fs";

/** Authority and certificate of 127.0.0.1, public in the repository: for tests only. */
export const certificate: { readonly ca: string; readonly cert: string; readonly key: string } = {
  ca: read("ca.cert"),
  cert: read("server.cert"),
  key: read("server.key"),
};

function read(name: string): string {
  return readFileSync(new URL(`../certificates/test-only-${name}.pem`, import.meta.url), "utf8");
}
