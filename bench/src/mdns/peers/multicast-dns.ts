import multicastDns from "multicast-dns";
import { drive, ownAddress } from "../program.ts";
import { serviceType } from "../protocol.ts";

type Shell = ReturnType<typeof multicastDns>;
type Response = Parameters<Shell["respond"]>[0];

const address = ownAddress();

/** The shell alone, with as little around it as announces and browses: what any user of it needs. */
drive<Shell>({
  open: () => multicastDns({ interface: address, bind: "0.0.0.0" }),
  async announce(shell, { info, port }) {
    const response = records(info, port);
    shell.on("query", ({ questions = [] }) => {
      if (questions.some(({ name }) => name === serviceType)) shell.respond(response);
    });
    shell.respond(response);
    return () => {};
  },
  browse(shell, tell) {
    shell.on("response", ({ answers = [] }) => {
      for (const answer of answers)
        if (answer.type === "SRV") tell({ event: "up", info: answer.data.target });
    });
    shell.query(serviceType, "PTR");
  },
});

function records(info: string, port: number): Response {
  const instance = `${info}.${serviceType}`;
  const target = `${info}.local`;
  return {
    answers: [
      { name: serviceType, type: "PTR", ttl: 4_500, data: instance },
      { name: instance, type: "SRV", ttl: 120, data: { port, target } },
      { name: instance, type: "TXT", ttl: 4_500, data: [`info=${info}`] },
      { name: target, type: "A", ttl: 120, data: address },
    ],
  };
}
