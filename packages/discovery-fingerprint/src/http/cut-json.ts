import { parseJson } from "./json.ts";

/**
 * Value of JSON text that breaks off; undefined if it has none, or is no JSON.
 *
 * Only complete entries of its outermost list count. An object around that list, or without one, counts with
 * its complete properties.
 */
export function parseCutJson(text: string): unknown {
  const scan = new Scan();
  for (let at = 0; at < text.length && !scan.isOver; at += 1) scan.read(text.charAt(at), at);
  return parseJson(text.slice(0, scan.end) + scan.closers());
}

/** Places at which a text may be cut and closed, so that only complete entries remain. */
class Scan {
  /** Closing bracket of each open container, the outermost first; bounded by the text. */
  readonly #open: string[] = [];
  #lists = 0;
  #isText = false;
  #isEscaped = false;
  #end = 0;
  /**
   * Count of open containers at the last good place. They are still the outermost open ones: leaving one
   * makes a good place of its own.
   */
  #depth = 0;
  #isOver = false;

  /** True once the outermost value is complete. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get end(): number {
    return this.#end;
  }

  closers(): string {
    return this.#open.slice(0, this.#depth).reverse().join("");
  }

  read(character: string, at: number): void {
    if (this.#isText) return this.#readText(character);
    if (character === '"') this.#isText = true;
    else if (character === "{" || character === "[") this.#enter(character, at);
    else if (character === "}" || character === "]") this.#leave(at);
    else if (character === ",") this.#mark(at);
  }

  #readText(character: string): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (character === "\\") this.#isEscaped = true;
    else if (character === '"') this.#isText = false;
  }

  #enter(character: string, at: number): void {
    const isOutside = this.#lists === 0;
    this.#open.push(character === "{" ? "}" : "]");
    if (character === "[") this.#lists += 1;
    if (isOutside) this.#mark(at + 1);
  }

  #leave(at: number): void {
    if (this.#open.pop() === "]") this.#lists -= 1;
    this.#mark(at + 1);
    this.#isOver = this.#open.length === 0;
  }

  /** A place within an entry of a list is no good place. */
  #mark(end: number): void {
    if (this.#lists > 1 || (this.#lists === 1 && this.#open.at(-1) !== "]")) return;
    this.#end = end;
    this.#depth = this.#open.length;
  }
}
