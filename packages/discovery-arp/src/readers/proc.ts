import { type Neighbor, tidy } from "../neighbor.ts";

/** The MAC is known (`ATF_COM`). */
const complete = 0x2;
/** An address for which this machine answers in place of another (`ATF_PUBL`). */
const published = 0x8;

/**
 * Reads `/proc/net/arp`. Its flags are what tells an entry that failed, and keeps its old MAC, from one that holds.
 *
 * @throws {TypeError} when something else stands in its place, as in some sandboxes.
 */
export function parseProcNetArp(text: string): Neighbor[] {
  if (!text.startsWith("IP address")) throw new TypeError("it is not the table of the kernel");
  const rows = text
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
  return tidy(
    rows.flatMap(([address = "", , flags = "", mac = "", , link = ""]) => {
      const bits = Number.parseInt(flags, 16);
      const holds = (bits & complete) !== 0 && (bits & published) === 0;
      return holds ? [{ address, mac, link }] : [];
    }),
  );
}
