import { isBuiltin } from "node:module";

// As the compiler writes them: a statement starts its line; types may be imported anywhere.
const patterns = [
  /^(?:import|export)\b[^;"]*?\bfrom "([^"]+)"/gm,
  /^import "([^"]+)"/gm,
  /\bimport\("([^"]+)"\)/g,
];

/** What compiled JavaScript or its declarations import. */
export function importsOf(text) {
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([, specifier]) => specifier));
}

/** The package that an import comes from; null for a file of the same package and for what is built in. */
export function packageOf(specifier) {
  if (specifier.startsWith(".") || isBuiltin(specifier)) return null;
  return specifier.match(/^(?:@[^/]+\/)?[^/]+/)[0];
}
