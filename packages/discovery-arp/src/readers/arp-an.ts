import { type Neighbor, tidy } from "../neighbor.ts";

/** `? (192.0.2.1) at 0:18:1:8f:23:ed on en0 ifscope [ethernet]` */
const bsdLine = /^\S+ \((\d+(?:\.\d+){3})\) at (\S+)(?: \[\w+\])?(.*?) on (\S+)/;

/** Reads what `arp -an` prints on macOS, the BSDs and, with net-tools, Linux. */
export function parseArpAn(text: string): Neighbor[] {
  return tidy(
    text.split("\n").flatMap((line) => {
      const [, address = "", mac = "", flags = "", link = ""] = bsdLine.exec(line) ?? [];
      // Linux marks what it answers for in place of others.
      return /\bPUP\b|published/.test(flags + line) ? [] : [{ address, mac, link }];
    }),
  );
}
