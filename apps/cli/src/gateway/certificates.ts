import type { ResolvedGateway } from "@lmserv/discovery-config";

/** @throws {ConfigError} for a file that holds no certificate. */
export async function readCertificates(
  file: string,
  readFile: (path: string) => Promise<string>,
  fault: ResolvedGateway["fault"],
): Promise<string> {
  const text = String(await readFile(file));
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw fault(
    ["caFile"],
    `names the file ${file}, which holds no certificate`,
    "one in PEM begins with -----BEGIN CERTIFICATE-----",
  );
}
