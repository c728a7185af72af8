import { basename } from "node:path";

/** Packages that each kind may use at run time: the arrows of ARCHITECTURE.md. */
const mayUse = {
  core: [],
  network: ["core"],
  fingerprint: ["core", "network"],
  signing: ["core", "network"],
  testkit: ["core"],
  store: ["core", "network", "fingerprint", "signing"],
  transport: ["core", "network", "fingerprint", "signing", "store"],
  config: ["core", "network", "fingerprint", "signing", "store", "transport"],
  client: ["core"],
  gateway: ["core", "network", "fingerprint", "client"],
  app: ["core", "network", "fingerprint", "signing", "store", "transport", "config", "client", "gateway"],
};

/** A package without a place of its own is a transport, which is held to the most. */
function kindOf(folder) {
  if (folder.startsWith("apps/")) return "app";
  const name = basename(folder).replace("discovery-", "");
  return name in mayUse ? name : "transport";
}

/** Violations of the arrows by the packages' manifests, a line for each; none if all is well. */
export function wrongArrows(packages) {
  const kinds = new Map(packages.map(({ name, folder }) => [name, kindOf(folder)]));
  return packages.flatMap(({ name, manifest }) => {
    const kind = kinds.get(name);
    const used = runtimeDependencies(manifest);
    if (kind === "core") return used.map((other) => `${name} (core) uses ${other}`);
    return used
      .filter((other) => kinds.has(other) && !mayUse[kind].includes(kinds.get(other)))
      .map((other) => `${name} (${kind}) uses ${other} (${kinds.get(other)})`);
  });
}

/** The names of what comes along when a package is installed, or has to be there already. */
export function runtimeDependencies({ dependencies, optionalDependencies, peerDependencies }) {
  return Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
}
