import { readFileSync } from "node:fs";

/** An authority and the certificate of 127.0.0.1 by it, in the repository for all to see: for tests only. */
export const certificate: { readonly ca: string; readonly cert: string; readonly key: string } = {
  ca: read("ca.cert"),
  cert: read("server.cert"),
  key: read("server.key"),
};

function read(name: string): string {
  return readFileSync(new URL(`../certificates/test-only-${name}.pem`, import.meta.url), "utf8");
}
