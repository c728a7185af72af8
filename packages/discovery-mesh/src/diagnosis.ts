import {
  type Cancellable,
  type Check,
  type Checker,
  checker,
  type DiagnosisContext,
  randomHex,
} from "@lmserv/discovery-core/transport";
import { ephemeralIdentity } from "@lmserv/discovery-signing";
import { checks } from "./codes.ts";
import type { ClusterKey } from "./link/cluster-key.ts";
import { dial } from "./link/dialer.ts";
import type { Plain } from "./link/exposure.ts";
import type { Party } from "./link/handshake-hello.ts";
import { PingSchedule } from "./link/heartbeat.ts";
import { defaultLimits } from "./link/limits.ts";
import type { LinkHost } from "./link/peer-link.ts";
import { Refusal, type RefusalReason } from "./link/refusal.ts";
import { resolveSeed, type Seed } from "./seeds.ts";

/** What of a mesh is examined. */
export interface Examined {
  readonly name: string;
  readonly cluster: string;
  readonly clusterKeys: readonly ClusterKey[];
  readonly seeds: readonly Seed[];
  readonly ca: string | undefined;
  readonly plain: Plain;
}

/** One URL of a seed, or the seed itself where its name leads nowhere, and why it was no way in. */
interface Visit {
  readonly at: string;
  /** Null where a member let us in. */
  readonly refusal: Refusal | null;
}

/** A name with more addresses than this is not looked at as a whole. */
const maxVisits = 16;

type Say = Checker<keyof typeof checks>;

/** Looks for what keeps this machine out of the mesh: dials the seeds, as one that only listens, and leaves again. */
export async function* diagnose(
  mesh: Examined,
  context: DiagnosisContext,
  { signal }: Cancellable,
): AsyncGenerator<Check, void> {
  const { name: transport, clusterKeys, seeds } = mesh;
  const say = checker("mesh", checks, transport);
  if (clusterKeys.length === 0 && seeds.length === 0) {
    yield say("unused", {
      message: "no mesh is set up here: it has neither key nor seed",
      fix: "to have one, make a key (lmserv mesh keygen) and name a machine of the mesh as its seed",
    });
    return;
  }
  if (clusterKeys.length === 0) yield keylessCheck(say);
  if (seeds.length === 0) yield seedlessCheck(say);
  const visits = await visitAll(mesh, context, signal);
  signal.throwIfAborted();
  const isIn = visits.some(({ refusal }) => refusal === null);
  for (const visit of visits) yield visitCheck(visit, isIn, say);
}

function keylessCheck(say: Say): Check {
  return say("key-missing", {
    message: "the mesh has no key, and so never leaves this machine",
    fix: "name the key file that its members share (keyFile, --key-file); lmserv mesh keygen makes a key",
  });
}

function seedlessCheck(say: Say): Check {
  return say("seed-missing", {
    message: "no seed is named: this machine waits for members that dial it, or that other transports find",
    fix: "name a machine of the mesh (seeds, --seed), unless this is the one that the others name, or mDNS or ARP beside the mesh finds one",
  });
}

async function visitAll(
  mesh: Examined,
  context: DiagnosisContext,
  signal: AbortSignal,
): Promise<readonly Visit[]> {
  const found = await Promise.all(mesh.seeds.map(locate));
  const party = visitor(mesh, context);
  const visits = found.flat().slice(0, maxVisits);
  return Promise.all(visits.map((one) => (one.refusal ? one : visit(one.at, mesh, party, context, signal))));
}

/** Where a seed is. */
async function locate(seed: Seed): Promise<readonly Visit[]> {
  const at = seed.kind === "url" ? seed.url : seed.name;
  try {
    const urls = await resolveSeed(seed);
    if (urls.length > 0) return urls.map((url) => ({ at: url, refusal: null }));
    return [{ at, refusal: new Refusal("unreachable", "its name has no address") }];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [{ at, refusal: new Refusal("unreachable", `its name leads nowhere: ${why}`, error) }];
  }
}

/** Nobody in particular, so that a member that runs on this machine goes on undisturbed. */
function visitor({ cluster, clusterKeys }: Examined, { clock, random }: DiagnosisContext): Party {
  const { key: nodeKey, epoch } = ephemeralIdentity(clock.wall());
  const instance = randomHex(random, 64);
  return { nodeKey, cluster, clusterKeys, epoch, instance, role: "observer", advertise: [] };
}

async function visit(
  url: string,
  { ca, plain }: Examined,
  party: Party,
  { clock, log }: DiagnosisContext,
  signal: AbortSignal,
): Promise<Visit> {
  const handler: LinkHost["handler"] = () => ({ message: () => {}, closed: () => {} });
  const pings = new PingSchedule(clock, defaultLimits.pingIntervalMs);
  const host = { clock, log, limits: defaultLimits, pings, handler };
  try {
    const link = await dial({ url, party, host, signal, plain, ...(ca !== undefined && { ca }) });
    await link.close("leaving");
    return { at: url, refusal: null };
  } catch (error) {
    if (error instanceof Refusal) return { at: url, refusal: error };
    throw error;
  }
}

function visitCheck({ at, refusal }: Visit, isIn: boolean, say: Say): Check {
  if (refusal === null) {
    return say("seed-reached", { message: `a member of the mesh answers at ${at}, and our key fits` });
  }
  const code = codeOf(refusal.reason);
  const message = `${at}: ${refusal.message}`;
  if (code === "seed-unreachable" && isIn) {
    const spare = `${message}; another seed leads into the mesh`;
    return say("seed-spare-unreachable", { message: spare, fix: fixes[code] });
  }
  return say(code, { message, fix: fixes[code] });
}

type Failure = "key-refused" | "seed-foreign" | "seed-unsafe" | "seed-unreachable";

function codeOf(reason: RefusalReason): Failure {
  switch (reason) {
    case "rejected":
    case "wrong-key":
    case "other-cluster":
      return "key-refused";
    case "exposed":
      return "seed-unsafe";
    case "unreachable":
    case "no-listener":
    case "slow":
    case "crowded":
      return "seed-unreachable";
    default:
      return "seed-foreign";
  }
}

const fixes: Readonly<Record<Failure, string>> = {
  "key-refused":
    "give both sides the same key file (compare: sha256sum mesh.key) and the same cluster; members do not tell which of the two differs",
  "seed-foreign": "correct address and port of the seed; let no proxy that ends connections stand in between",
  "seed-unsafe": "name the key file of the mesh, and dial wss:// where the way leads over the internet",
  "seed-unreachable":
    "start a member there (lmserv announce), let TCP to its port through the firewalls on the way, or correct the seed",
};
