import { DiscoveryError } from "@lmserv/discovery-core";
import { staysOnMachine } from "./interfaces.ts";
import type { Io } from "./io.ts";
import type { SearchRequest } from "./request.ts";

/** The warning that nobody answered, with the command that finds servers all the same; others as they are. */
export function advise(warning: DiscoveryError, request: SearchRequest, io: Io): DiscoveryError {
  const { transports, interfaces, sweep } = request;
  if (warning.code !== "NO_ANSWER" || sweep || staysOnMachine(interfaces, io.networkInterfaces()))
    return warning;
  const names = [...new Set([...transports, "arp"])].join(",");
  const where = interfaces.map((name) => ` --interface ${name}`).join("");
  const command = `lmserv discover --transport ${names} --sweep${where}`;
  const message = `${warning.message}; to ask every address of the subnet instead: ${command}`;
  return new DiscoveryError(warning.code, message, { via: warning.via, cause: warning.cause });
}
