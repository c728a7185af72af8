/** The rows of a JSON list, or the one row that stands for a list of one; none if it is something else. */
export function parseRows(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text.trim() || "[]");
    return Array.isArray(value) ? value : [value];
  } catch {
    return [];
  }
}

/** The text of a field; the empty text for anything else, such as an object with a `toString` of its own. */
export function textOf(row: unknown, name: string): string {
  const value = fieldOf(row, name);
  return typeof value === "string" ? value : "";
}

export function fieldOf(row: unknown, name: string): unknown {
  return typeof row === "object" && row !== null
    ? Object.entries(row).find(([key]) => key === name)?.[1]
    : undefined;
}
