import { fileURLToPath } from "node:url";
import type { Command } from "@lmserv/test-netlab";

/** A command that looks for the hosts of a subnet. */
export interface Contender {
  readonly name: string;
  /** Name for people. */
  readonly shown: string;
  readonly command: Command;
  /** Count of finds in its output. */
  readonly count: (stdout: string) => number;
  readonly finds: "servers" | "hosts";
}

const subnet = "10.77.0.0/24";
const lmserv = fileURLToPath(new URL("../../../apps/cli/bin/lmserv.mjs", import.meta.url));

/** Count of distinct addresses in the fitting lines. */
const countHosts =
  (pattern: RegExp) =>
  (stdout: string): number =>
    new Set(
      stdout.split("\n").flatMap((line) => (pattern.test(line) ? (/10\.77\.0\.\d+/.exec(line) ?? []) : [])),
    ).size;

function scanner(name: string, shown: string, pattern: RegExp): Contender {
  const [program = name, ...args] = shown.split(" ");
  return { name, shown, command: [program, ...args], count: countHosts(pattern), finds: "hosts" };
}

function ours(name: string, ...options: readonly string[]): Contender {
  return {
    name,
    shown: `lmserv discover ${options.join(" ")}`,
    command: [process.execPath, lmserv, "discover", "--json", ...options],
    count: (stdout) => JSON.parse(stdout).nodes.length,
    finds: "servers",
  };
}

/** Ours as it comes and until the last server is identified, and the others as they come and as fast as they go. */
export function contenders(servers: number): readonly Contender[] {
  const arpLine = /^10\.77\.0\.\d+\t/;
  const nmapLine = /^Nmap scan report for /;
  return [
    {
      name: "Node alone",
      shown: "node -e 0",
      command: [process.execPath, "-e", "0"],
      count: () => 0,
      finds: "hosts",
    },
    ours("lmserv, to the last server", "--transport", "arp", "--sweep", "--wait", String(servers)),
    ours("lmserv, with mDNS beside it", "--transport", "mdns,arp", "--sweep", "--wait", String(servers)),
    ours("lmserv, to the end", "--transport", "arp", "--sweep"),
    scanner("arp-scan", `arp-scan --interface=eth0 ${subnet}`, arpLine),
    scanner("arp-scan, tuned", `arp-scan --interface=eth0 -r1 -t200 -B2M ${subnet}`, arpLine),
    scanner("fping", `fping -a -q -g ${subnet}`, /^10\.77\.0\.\d+$/),
    scanner("fping, tuned", `fping -a -q -r0 -t200 -i1 -g ${subnet}`, /^10\.77\.0\.\d+$/),
    scanner("nmap", `nmap -sn -n ${subnet}`, nmapLine),
    scanner("nmap, tuned", `nmap -sn -n -T5 --max-retries 0 --min-rate 2000 ${subnet}`, nmapLine),
  ];
}
