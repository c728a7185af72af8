import { createLan } from "./lan.ts";
import { hasProgram } from "./program.ts";

/** What the fixture runs, and the package that brings it. */
const programs: Readonly<Record<string, string>> = {
  unshare: "util-linux",
  nsenter: "util-linux",
  mount: "mount",
  hostname: "hostname",
  timeout: "coreutils",
  ip: "iproute2",
  nft: "nftables",
};

/** Whether a LAN can be made here, and why not. */
export type LanSupport =
  | { readonly available: true }
  | { readonly available: false; readonly reason: string };

let answer: Promise<LanSupport> | undefined;

/** Finds out, once per process, by making a small LAN. */
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
