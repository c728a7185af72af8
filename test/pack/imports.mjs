import { isBuiltin } from "node:module";
import { parseAst } from "rolldown/parseAst";

/** Specifiers of each text that was parsed, which takes a while: as many texts as the packages have modules. */
const known = new Map();

/**
 * Specifiers that a module or a declaration imports, and files next to it that it names by `new URL("...",
 * import.meta.url)`.
 */
export function importsOf(text, file = "module.ts") {
  const found = known.get(text) ?? [];
  if (known.has(text)) return found;
  known.set(text, found);
  const visit = (node) => {
    if (node === null || typeof node !== "object") return;
    const specifier = specifierOf(node);
    if (specifier) found.push(specifier);
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseAst(text, { lang: file.endsWith(".d.ts") ? "dts" : "ts" }).body);
  return found;
}

function specifierOf({ type, source, argument, callee, arguments: given }) {
  if (type === "TSImportType") return textOf(argument?.literal ?? source ?? argument);
  if (type === "NewExpression" && callee.name === "URL" && given[1]?.type === "MemberExpression")
    return textOf(given[0])?.match(/.*\.\w+$/)?.[0];
  return /^(Import|Export)/.test(type) ? textOf(source) : undefined;
}

/** The text of a literal, or of a template without expressions. */
function textOf(node) {
  return node?.type === "TemplateLiteral" ? node.quasis[0].value.cooked : node?.value;
}

/** The package that an import comes from; null for a file of the same package and for what is built in. */
export function packageOf(specifier) {
  if (specifier.startsWith(".") || isBuiltin(specifier)) return null;
  return specifier.match(/^(?:@[^/]+\/)?[^/]+/)[0];
}
