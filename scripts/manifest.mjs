import { readManifest } from "./workspace.mjs";

/** The compiler keeps its notes beside what it wrote. */
const buildInfo = "!dist/.tsbuildinfo";

/**
 * The manifest of a package with everything that all published packages say alike, in one order.
 *
 * The root's manifest is where most of that is written: keywords, links, licence and the lowest Node.
 */
export function completeManifest(manifest, folder) {
  const shared = readManifest();
  const { name, description, keywords = [], sideEffects, bin, exports, files = [] } = manifest;
  const complete = {
    name,
    // They are released together.
    version: readManifest("packages/discovery-core").version,
    description,
    keywords: [...new Set([...shared.keywords, ...keywords])],
    homepage: `${shared.homepage.replace(/#.*/, "")}/tree/main/${folder}#readme`,
    bugs: shared.bugs,
    repository: { ...shared.repository, directory: folder },
    license: shared.license,
    type: "module",
    // A command is nothing but side effects.
    sideEffects: bin ? sideEffects : false,
    engines: shared.engines,
    bin,
    exports,
    files: [...files.filter((pattern) => pattern !== buildInfo), buildInfo],
    // Attests which commit and which run of CI a tarball came from.
    publishConfig: { access: "public", provenance: true },
  };
  return { ...complete, ...manifest, ...complete };
}

/** As it stands in the file. */
export function formatManifest(manifest) {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
