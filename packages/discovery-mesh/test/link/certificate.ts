import { readFileSync } from "node:fs";

/** A self-signed certificate that is in the repository for all to see, and its key: for these tests only. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

export function testCertificate(name: "member" | "relay"): TestCertificate {
  const read = (kind: string): string =>
    readFileSync(new URL(`certificates/test-only-${name}.${kind}.pem`, import.meta.url), "utf8");
  return { cert: read("cert"), key: read("key") };
}
