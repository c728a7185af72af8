import { type Admission, admit } from "./admission.ts";
import type { Exchange } from "./exchange.ts";

/** Returns true if a request goes on; answers preflights and refused requests. */
export function isLetIn(exchange: Exchange, admission: Admission): boolean {
  const origin = exchange.header("origin");
  const isPreflight = exchange.method === "OPTIONS" && origin !== null;
  // A preflight carries no key.
  const refusal = admit(exchange.request, isPreflight ? { ...admission, key: null } : admission);
  if (refusal) exchange.refuse(refusal, refusal.status === 401 ? challenge : {});
  else if (isPreflight) exchange.preflight(origin);
  else return true;
  return false;
}

const challenge: Readonly<Record<string, string>> = {
  "www-authenticate": 'Basic realm="lmserv", charset="UTF-8"',
};
