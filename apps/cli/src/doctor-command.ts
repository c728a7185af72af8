import type { Command } from "commander";
import type { Io } from "./io.ts";
import { addMeshOptions, type MeshFlags, meshSettings } from "./mesh-options.ts";
import { addSharedOptions, repeatable, type SharedFlags, sharedRequest } from "./options.ts";
import type { DoctorRequest } from "./request.ts";
import { parseEndpoint } from "./values.ts";

interface DoctorFlags extends SharedFlags, MeshFlags {
  readonly json?: true;
  readonly sweep?: true;
  readonly endpoint?: readonly string[];
}

/** They are looked at when they are chosen: most machines have no server of these. */
const onServers: ReadonlySet<string> = new Set(["etcd", "nats"]);

const examples = `
Examples:
  lmserv doctor                            why are there no servers?
  lmserv doctor --sweep                    the same, and look for neighbours that could tell
  lmserv doctor --transport mdns --interface eth0
  lmserv doctor --transport mesh --key-file mesh.key --seed ws://10.0.0.1:7946
  lmserv doctor --transport etcd --endpoint http://10.0.0.1:2379
  lmserv doctor --json | jq '.checks[] | select(.verdict == "fail")'

Exit status: 0 nothing fails, 1 something fails, 2 usage, 128 + N ended by signal N (130 by SIGINT).`;

/** Adds `lmserv doctor`. */
export function doctorCommand(
  program: Command,
  io: Io,
  doctor: (request: DoctorRequest) => Promise<unknown>,
): void {
  const unasked = [...io.plugins.keys()].filter((type) => !onServers.has(type));
  const command = program
    .command("doctor")
    .description("Look for what keeps servers from being found here, and say how to mend it.")
    .option("--json", "print one JSON document")
    .option("--sweep", "ask every address of the subnet by ARP, to find neighbours that could tell")
    .addOption(
      repeatable(
        "--endpoint <url>",
        "etcd, nats: where it is, such as http://10.0.0.1:2379; repeatable",
        parseEndpoint,
      ),
    );
  addMeshOptions(addSharedOptions(command, io), "observer")
    .addHelpText("after", examples)
    .action(async (flags: DoctorFlags) => {
      const isChosen = flags.transport || flags.preset !== undefined || flags.config !== undefined;
      await doctor({
        ...sharedRequest(isChosen ? flags : { ...flags, transport: unasked }, [
          { flag: "--endpoint", key: "endpoints", value: flags.endpoint },
          ...meshSettings(flags),
        ]),
        json: flags.json ?? false,
        sweep: flags.sweep ?? false,
      });
    });
}
