import { transportFlags } from "@lmserv/discovery-config";
import { DiscoveryError } from "@lmserv/discovery-core";
import type { TransportPlugin } from "@lmserv/discovery-core/transport";
import { type Configuration, interfacesOf, namesOf } from "../config/configuration.ts";
import type { Io } from "../io/io.ts";
import { staysOnMachine } from "../options/interfaces.ts";
import type { Request } from "../options/request.ts";

/** Option that makes a transport search harder, with its effect. */
interface Thoroughness {
  readonly type: string;
  readonly option: string;
  readonly flag: string;
  readonly does: string;
}

/** Transports of the command that can search harder than configured. */
export function thoroughness(plugins: Iterable<TransportPlugin>): readonly Thoroughness[] {
  return [...plugins].flatMap((plugin) => {
    const { type, thorough } = plugin;
    const flag = transportFlags([plugin]).find(({ keys }) => thorough && keys.includes(thorough.option));
    return thorough && flag ? [{ type, ...thorough, flag: flag.name }] : [];
  });
}

/**
 * Warning of an unanswered search, with the command that finds servers all the same; others stay unchanged.
 */
export function advise(
  warning: DiscoveryError,
  configuration: Configuration,
  request: Request,
  io: Io,
): DiscoveryError {
  const interfaces = interfacesOf(configuration, request);
  const [harder] = thoroughness(io.plugins.values());
  if (warning.code !== "NO_ANSWER" || !harder || staysOnMachine(interfaces, io.networkInterfaces()))
    return warning;
  const silent = configuration.transports.find(({ name }) => name === warning.via)?.plugin;
  // A transport with a key, or with servers of others, has its peers elsewhere than in the subnet.
  if (silent?.keygen || silent?.needsServer) return warning;
  const { type, option, flag, does } = harder;
  if (isOn(option, configuration)) return warning;
  const names = [...new Set([...namesOf(configuration), type])].join(",");
  const command = `lmserv discover --transport ${names} ${flag}${interfaceFlags(interfaces)}`;
  const message = `${warning.message}; to ${does} instead: ${command}`;
  return new DiscoveryError(warning.code, message, { via: warning.via, cause: warning.cause });
}

/** Flags such as ` --interface eth0`. */
export function interfaceFlags(interfaces: readonly string[]): string {
  return interfaces.map((name) => ` --interface ${name}`).join("");
}

function isOn(option: string, { settings }: Configuration): boolean {
  return settings.some(({ path, value }) => path.endsWith(`.${option}`) && value === true);
}
