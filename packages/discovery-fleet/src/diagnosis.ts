import {
  type Cancellable,
  type Check,
  type CheckCode,
  check,
  toDiscoveryError,
} from "@lmserv/discovery-core";
import type { Engine, EngineContext } from "./engine.ts";

/** Looks for what keeps this machine out of a fleet: reads what the engine has of it, as one that only watches. */
export async function* diagnose(
  engine: Engine,
  context: EngineContext,
  { signal }: Cancellable,
): AsyncGenerator<Check, void> {
  const { via: transport, cluster } = context;
  try {
    const count = await engine.count(context, { signal });
    const message = `${engine.type} at ${engine.place} lets us in, and has ${count} values of the fleet ${cluster}`;
    yield check("ENGINE_READ", { transport, message });
  } catch (error) {
    signal.throwIfAborted();
    const { code: fault, message } = toDiscoveryError(error, "TRANSPORT_UNAVAILABLE", transport);
    const code = codeOf(fault);
    yield check(code, { transport, message, mend: mends[code] });
  }
}

type Failure = "ENGINE_ABSENT" | "ENGINE_REFUSES" | "ENGINE_UNFIT";

function codeOf(fault: string): Failure & CheckCode {
  if (fault === "ENGINE_UNREACHABLE") return "ENGINE_ABSENT";
  return fault === "PERMISSION_DENIED" ? "ENGINE_REFUSES" : "ENGINE_UNFIT";
}

const mends: Readonly<Record<Failure, string>> = {
  ENGINE_ABSENT:
    "start it, name it as it is reached from here (endpoints, --endpoint), and let TCP to its port through the firewalls on the way",
  ENGINE_REFUSES:
    "give what it asks for (user and password, token, certificate), with the rights in its README",
  ENGINE_UNFIT: "name a server that is one of these, new enough, and set up to keep values",
};
