import { RegExpParser, visitRegExpAST } from "@eslint-community/regexpp";
import { createCache, getConsumedChars, getFirstConsumedChar } from "regexp-ast-analysis";
import { parseAst } from "rolldown/parseAst";
import { analyse } from "scslre";

// Regular expressions of the sources, and why one of them may take more than linear time on the text of a stranger.

const direction = "ltr";

/** Every expression of a TypeScript file: `{ source, flags }`, the source null where the code makes it at run time. */
export function expressionsOf(code) {
  const found = [];
  const visit = (node) => {
    if (node === null || typeof node !== "object") return;
    if (node.type === "Literal" && node.regex)
      found.push({ source: node.regex.pattern, flags: node.regex.flags });
    if (isConstructor(node)) found.push({ source: null, flags: "" });
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseAst(code, { lang: "ts" }).body);
  return found;
}

function isConstructor({ type, callee }) {
  return (type === "NewExpression" || type === "CallExpression") && callee.name === "RegExp";
}

/** Reasons to refuse an expression, each once; empty for a linear one. */
export function faultsOf({ source, flags }) {
  if (source === null) return ["it is made at run time, so that nothing can be said of it"];
  const literal = new RegExpParser().parseLiteral(`/${source}/${flags}`);
  const { reports } = analyse(literal, { reportTypes: { Move: true, Self: true, Trade: true } });
  return [
    ...new Set([
      ...reports.map(({ type, character }) => `${reasons[type]} ${character.literal.source}`),
      ...nestingFaults(literal),
      ...retryFaults(literal),
    ]),
  ];
}

const reasons = {
  Self: "a quantifier can share out in many ways the characters",
  Trade: "two quantifiers can share out in many ways the characters",
  Move: "each start of a match reads on through the characters",
};

/**
 * Faults outside scslre's scope: alternatives that begin alike, and bounded quantifiers, under a quantifier.
 */
function nestingFaults({ pattern, flags }) {
  const cache = createCache(flags);
  const first = (node) => getFirstConsumedChar(node, direction, cache).char;
  const faults = [];
  const around = [];
  visitRegExpAST(pattern, {
    onQuantifierEnter(quantifier) {
      const { min, max, element } = quantifier;
      for (const outer of max > min ? around : []) {
        if (!first(outer.element).isDisjointWith(getConsumedChars(element, cache).chars))
          faults.push(`${outer.raw} repeats ${quantifier.raw}, and nothing tells one turn from the next`);
      }
      if (max > 1) around.push(quantifier);
    },
    onQuantifierLeave(quantifier) {
      if (quantifier.max > 1) around.pop();
    },
    onGroupEnter: checkAlternatives,
    onCapturingGroupEnter: checkAlternatives,
  });
  return faults;

  function checkAlternatives({ alternatives }) {
    if (around.length === 0) return;
    for (const [index, one] of alternatives.entries()) {
      for (const other of alternatives.slice(index + 1)) {
        if (!first(one).isDisjointWith(first(other)))
          faults.push(`under a quantifier, ${one.raw} and ${other.raw} begin alike`);
      }
    }
  }
}

/** A beginning that recurs within what its own quantifier reads, as in `'.*@`: each recurrence reads all the rest. */
function retryFaults({ pattern, flags }) {
  const cache = createCache(flags);
  const charsOf = (node) => getConsumedChars(node, cache).chars;
  return pattern.alternatives.flatMap(({ elements }) => {
    if (flags.sticky || (elements[0]?.type === "Assertion" && elements[0].kind === "start")) return [];
    return elements.slice(0, -1).flatMap((element, index) => {
      if (element.type !== "Quantifier" || element.max !== Number.POSITIVE_INFINITY) return [];
      const before = elements
        .slice(0, index)
        .map(charsOf)
        .filter((chars) => !chars.isEmpty);
      if (before.length === 0 || before.some((chars) => chars.isDisjointWith(charsOf(element)))) return [];
      return [`what comes before ${element.raw} may recur within it`];
    });
  });
}
