import type { Host } from "@lmserv/test-netlab";

/** Filter that silently blocks everything between the two, in either direction. */
export function gapBetween(left: readonly Host[], right: readonly Host[]): string {
  const set = (hosts: readonly Host[]): string => `{ ${hosts.map(({ name }) => `"${name}"`).join(", ")} }`;
  return [
    `iifname ${set(left)} oifname ${set(right)} drop`,
    `iifname ${set(right)} oifname ${set(left)} drop`,
  ].join("\n");
}
