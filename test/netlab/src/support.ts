import { createLan } from "./lan.ts";
import { hasProgram } from "./program.ts";

/** Programs of the fixture, with their packages. */
const programs: Readonly<Record<string, string>> = {
  unshare: "util-linux",
  nsenter: "util-linux",
  mount: "mount",
  hostname: "hostname",
  timeout: "coreutils",
  ip: "iproute2",
  nft: "nftables",
};

/** Result of trying to make a LAN, with the reason of a failure. */
export type LanSupport =
  | { readonly available: true }
  | { readonly available: false; readonly reason: string };

let answer: Promise<LanSupport> | undefined;

/** Makes a small LAN, once per process, to see if that works. */
export function lanSupport(): Promise<LanSupport> {
  answer ??= tryLan();
  return answer;
}

async function tryLan(): Promise<LanSupport> {
  if (process.platform !== "linux") {
    return { available: false, reason: `network namespaces are Linux only, this is ${process.platform}` };
  }
  const missing = Object.keys(programs).filter((name) => !hasProgram(name));
  if (missing.length > 0) {
    const list = missing.map((name) => `${name} (package ${programs[name]})`).join(", ");
    return { available: false, reason: `not installed: ${list}` };
  }
  try {
    await using lan = await createLan({ hosts: 1 });
    await lan.dropMulticast(true);
    return { available: true };
  } catch (error) {
    return { available: false, reason: error instanceof Error ? error.message : String(error) };
  }
}
