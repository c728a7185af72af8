import type { TransportPlugin } from "@lmserv/discovery-core/transport";
import type { Command } from "commander";
import type { Io } from "../io/io.ts";
import { addSharedOptions, type SharedFlags, sharedRequest } from "../options/options.ts";
import type { DoctorRequest } from "../options/request.ts";
import { addTransportFlags } from "../options/transport-flags.ts";

interface DoctorFlags extends SharedFlags {
  readonly json?: true;
}

const examples = `
Examples:
  lmserv doctor                            why are there no servers?
  lmserv doctor --sweep                    the same, and what a sweep would find
  lmserv doctor -v                         every check, not only what may matter
  lmserv doctor --transport mdns --interface eth0
  lmserv doctor --transport mesh --key-file mesh.key --seed ws://10.0.0.1:7946
  lmserv doctor --transport etcd --endpoint http://10.0.0.1:2379
  lmserv doctor --json | jq '.checks[] | select(.verdict == "fail")'

Exit status: 0 nothing fails, 1 something fails, 2 usage, 128 + N ended by signal N (130 by SIGINT).`;

/** Adds `lmserv doctor`. */
export function doctorCommand(
  program: Command,
  io: Io,
  plugins: readonly TransportPlugin[],
  doctor: (request: DoctorRequest) => Promise<unknown>,
): void {
  const unasked = [...io.plugins.values()].filter(({ needsServer }) => !needsServer).map(({ type }) => type);
  const command = program
    .command("doctor")
    .description("Examine what keeps servers from being found here, and say how to fix it.")
    .option("--json", "print one JSON document");
  const settings = addTransportFlags(addSharedOptions(command, io), plugins);
  command.addHelpText("after", examples).action(async (flags: DoctorFlags) => {
    await doctor({ ...sharedRequest(flags, settings()), json: flags.json ?? false, unchosen: unasked });
  });
}
