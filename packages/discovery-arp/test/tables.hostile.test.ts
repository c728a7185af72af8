import { hostileText, readsHostile } from "@lmserv/test-hostile";
import fc from "fast-check";
import { loadArpA } from "../src/neighbors/arp-a.ts";
import { parseArpAn, parseGetNetNeighbor, parseIpNeigh, parseProcNetArp } from "../src/neighbors/formats.ts";
import { maxNeighbors } from "../src/neighbors/neighbor.ts";
import { parseArpCacheStat, parseNtable } from "../src/sweep/table-capacity.ts";

const limits = { softLimit: 512, hardLimit: 1_024 };

/** Reader with a valid input. */
const tables: readonly (readonly [(text: string) => unknown, string])[] = [
  [
    // A text without the kernel's heading is an error of its own.
    (text) => parseProcNetArp(`IP address ${text}`),
    "HW type Flags HW address Mask Device\n10.77.0.2 0x1 0x2 02:00:0a:4d:00:02 * eth0\n172.17.0.2 0x1 0xe 02:42:ac:11:00:02 * docker0\n",
  ],
  [
    parseIpNeigh,
    '[{"dst":"10.77.0.2","dev":"eth0","lladdr":"02:00:0a:4d:00:02","state":["STALE"]},{"dst":"10.77.0.6","dev":"eth0","proxy":null},{"dst":"fe80::2","dev":"eth0","lladdr":"02:00:0a:4d:00:02","router":null,"state":["DELAY"]}]',
  ],
  [
    parseArpAn,
    "? (10.77.0.2) at 02:00:0a:4d:00:02 [ether] on eth0\ngw (10.77.0.6) at <from_interface> PERM PUP on eth0\n? (192.0.2.4) at 2:0:0:0:0:4 on en0 ifscope [ethernet]\n",
  ],
  [
    parseGetNetNeighbor,
    '[{"IPAddress":"192.0.2.1","LinkLayerAddress":"50-67-F0-8C-7A-3F","InterfaceAlias":"Ethernet","State":5},{"IPAddress":"fe80::1%12","LinkLayerAddress":"02-00-00-00-00-02","InterfaceAlias":"WLAN","State":4}]',
  ],
  [
    (text) => parseArpCacheStat(text, limits),
    "entries allocs forced_gc_runs unresolved_discards table_fulls\n00000024 0002898b 00000001 00000000 0000000a\n",
  ],
  [
    parseNtable,
    "inet arp_cache \n thresh1 128 thresh2 2048 thresh3 4096 gc_int 30000 \n config entries 11 \n stats forced_gc_runs 4 table_fulls 1 \n",
  ],
];

const inputs = fc.oneof(
  ...tables.map(([parse, sample]) => hostileText(fc.constant(sample)).map((text) => ({ parse, text }))),
);

readsHostile("neighbor tables", {
  inputs,
  maxKept: maxNeighbors,
  open: () => {
    let kept = 0;
    return {
      kept: () => kept,
      read: ({ parse, text }) => {
        const rows = parse(text);
        kept = Array.isArray(rows) ? rows.length : 0;
      },
    };
  },
});

/** The package passes on its own reading of another program's output. */
const field = (sample: string) =>
  fc.oneof(fc.constant(sample), hostileText(fc.constant(sample)), fc.anything());
const row = fc.record(
  { ip: field("192.0.2.1"), mac: field("02:00:0a:4d:00:02"), iface: field("eth0") },
  { requiredKeys: [] },
);

readsHostile("rows of arp-a", {
  inputs: fc.array(fc.oneof(row, fc.anything()), { maxLength: 5 }),
  maxKept: maxNeighbors,
  open: () => {
    let kept = 0;
    return {
      kept: () => kept,
      read: async (rows) => {
        const table = (callback: (error: unknown, row: unknown) => void): void => {
          for (const one of rows) callback(null, one || {});
          callback(null, null);
        };
        const read = loadArpA({ platform: "linux", env: {}, load: () => ({ table }) });
        kept = (await read?.())?.length ?? 0;
      },
    };
  },
});
