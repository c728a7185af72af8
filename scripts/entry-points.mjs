/** The files behind every entry of an exports map, under every condition: `[condition, file]`. */
export function targetsOf(exports) {
  return Object.entries(exports).flatMap(([key, target]) =>
    typeof target === "string" ? [[key, target]] : targetsOf(target),
  );
}

/** The entry points of a package that are modules: `{ specifier, source, output }`, the files relative to its folder. */
export function modulesOf({ name, exports = {} }) {
  return Object.entries(exports)
    .filter(([, target]) => typeof target === "object")
    .map(([subpath, target]) => ({
      specifier: `${name}${subpath.slice(".".length)}`,
      source: target["@lmserv/source"],
      output: target.default,
    }));
}
