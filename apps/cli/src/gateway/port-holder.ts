import type { Io } from "../io/io.ts";
import type { ListenAddress } from "./listen-address.ts";

/** Program that listens on a port of this machine, as far as it can be known. */
export async function holderOf(
  { address, port }: ListenAddress,
  { fingerprint, claimPort }: Io,
): Promise<string> {
  const claim = await claimPort(port);
  if (claim.kind === "taken") return claim.pid === null ? "another lmserv" : `lmserv (process ${claim.pid})`;
  await claim[Symbol.asyncDispose]();
  const result = await fingerprint(address, port, AbortSignal.timeout(askMs)).catch(() => null);
  if (result?.kind === "server") return result.identification.server ?? "an LLM server";
  if (result?.kind === "document" && result.role === "gateway") return "another lmserv gateway";
  return "another program";
}

/** A program on this machine answers at once. */
const askMs = 2_000;
