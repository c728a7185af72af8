import { DiscoveryError } from "@lmserv/discovery-core";
import { type Configuration, interfacesOf, isSweeping, namesOf } from "./configuration.ts";
import { staysOnMachine } from "./interfaces.ts";
import type { Io } from "./io.ts";
import type { Request } from "./request.ts";

/** The warning that nobody answered, with the command that finds servers all the same; others as they are. */
export function advise(
  warning: DiscoveryError,
  configuration: Configuration,
  request: Request,
  io: Io,
): DiscoveryError {
  const interfaces = interfacesOf(configuration, request);
  if (
    warning.code !== "NO_ANSWER" ||
    io.elsewhere.has("arp") ||
    isSweeping(configuration) ||
    staysOnMachine(interfaces, io.networkInterfaces())
  )
    return warning;
  const names = [...new Set([...namesOf(configuration), "arp"])].join(",");
  const where = interfaces.map((name) => ` --interface ${name}`).join("");
  const command = `lmserv discover --transport ${names} --sweep${where}`;
  const message = `${warning.message}; to ask every address of the subnet instead: ${command}`;
  return new DiscoveryError(warning.code, message, { via: warning.via, cause: warning.cause });
}
