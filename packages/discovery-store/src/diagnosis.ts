import { type Cancellable, type Check, checker, toDiscoveryError } from "@lmserv/discovery-core/transport";
import { storeChecks } from "./codes.ts";
import type { Store, StoreContext } from "./store.ts";

/** Examines what keeps this machine out of a fleet: reads the store's values, as a mere watcher. */
export async function* diagnose(
  store: Store,
  context: StoreContext,
  { signal }: Cancellable,
): AsyncGenerator<Check, void> {
  const { via, cluster } = context;
  const say = checker(store.type, storeChecks, via);
  try {
    const count = await store.count(context, { signal });
    const message = `${store.type} at ${store.place} lets us in, and has ${count} values of the fleet ${cluster}`;
    yield say("store-read", { message });
  } catch (error) {
    signal.throwIfAborted();
    const { code: fault, message } = toDiscoveryError(error, "TRANSPORT_UNAVAILABLE", via);
    const code = codeOf(fault);
    yield say(code, { message, fix: fixes[code] });
  }
}

type Failure = "store-absent" | "store-refuses" | "store-unfit";

function codeOf(fault: string): Failure {
  if (fault === "MEDIUM_UNREACHABLE") return "store-absent";
  return fault === "PERMISSION_DENIED" ? "store-refuses" : "store-unfit";
}

const fixes: Readonly<Record<Failure, string>> = {
  "store-absent":
    "start it, name it as it is reached from here (endpoints, --endpoint), and let TCP to its port through the firewalls on the way",
  "store-refuses":
    "give the login that it asks for (user and password, token, certificate), with the rights in its README",
  "store-unfit": "name a server that is one of these, new enough, and set up to keep values",
};
