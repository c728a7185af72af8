import { basename, join } from "node:path";
// The compiler is pinned to one version, so that what is unstable about this does not move.
import { API, SymbolFlags } from "typescript/unstable/sync";
import { root } from "../command.mjs";
import { modulesOf } from "../entry-points.mjs";
import { readPackages } from "../workspace.mjs";

/** Folder of the recorded surfaces. */
export const surfaceFolder = join(root, "docs/api");

const kinds = [
  [SymbolFlags.Class, "class"],
  [SymbolFlags.Function, "function"],
  [SymbolFlags.Interface, "interface"],
  [SymbolFlags.TypeAlias, "type"],
  [SymbolFlags.Variable, "const"],
];

/** Exports of the packages, as `file name -> text`: for each entry point the names and their kinds. */
export function readSurfaces() {
  const packages = readPackages().filter(({ manifest }) => modulesOf(manifest).length > 0);
  const configOf = ({ folder }) => join(root, folder, "tsconfig.json");
  const api = new API({ cwd: root });
  try {
    const snapshot = api.updateSnapshot({ openProjects: packages.map(configOf) });
    return new Map(
      packages.map((pkg) => {
        const project = snapshot.getProject(configOf(pkg));
        const sections = modulesOf(pkg.manifest).map(({ specifier, source }) =>
          [specifier, ...exportsOf(project, join(root, pkg.folder, source))].join("\n"),
        );
        return [`${basename(pkg.folder)}.txt`, `${sections.join("\n\n")}\n`];
      }),
    );
  } finally {
    api.close();
  }
}

function exportsOf({ program, checker }, file) {
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)));
  return exported
    .map((symbol) => `  ${symbol.name}: ${kindOf(checker, symbol)}`)
    .sort((one, other) => (one < other ? -1 : 1));
}

function kindOf(checker, symbol) {
  const { flags } = symbol.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  return kinds
    .filter(([flag]) => flags & flag)
    .map(([, kind]) => kind)
    .join(" and ");
}
