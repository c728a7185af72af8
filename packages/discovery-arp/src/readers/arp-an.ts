import { type Neighbor, tidy } from "../neighbor.ts";

/**
 * Reads what `arp -an` prints on macOS, the BSDs and, with net-tools, Linux:
 * `? (192.0.2.1) at 0:18:1:8f:23:ed on en0 ifscope [ethernet]`.
 */
export function parseArpAn(text: string): Neighbor[] {
  return tidy(
    text.split("\n").flatMap((line) => {
      const [, host = "", at, mac = "", ...rest] = line.trim().split(/\s+/);
      const on = rest.indexOf("on");
      if (at !== "at" || on === -1 || !/^\([\d.]+\)$/.test(host)) return [];
      // Linux marks what it answers for in place of others.
      if (/\bPUP\b|published/.test(line)) return [];
      return [{ address: host.slice(1, -1), mac, link: rest[on + 1] ?? "" }];
    }),
  );
}
