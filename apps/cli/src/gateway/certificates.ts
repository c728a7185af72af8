import { certificatesFault } from "@lmserv/discovery-client/forwarding";
import type { ResolvedGateway } from "@lmserv/discovery-config";

/**
 * Reads the certificates of authorities.
 *
 * @param key - Key in the section of the local endpoint that names the file.
 * @throws {ConfigError} for a file without certificates, or with an unreadable one.
 */
export async function readCertificates(
  file: string,
  key: readonly string[],
  readFile: (path: string) => Promise<string>,
  fault: ResolvedGateway["fault"],
): Promise<string> {
  const text = String(await readFile(file));
  const reason = certificatesFault(text);
  if (reason === null) return text;
  throw fault(
    key,
    `names the file ${file}, which ${reason}`,
    "one in PEM begins with -----BEGIN CERTIFICATE-----",
  );
}
