/** The rows of a JSON list, or the one row that stands for a list of one; none if it is something else. */
export function parseRows(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text.trim() || "[]");
    return Array.isArray(value) ? value : [value];
  } catch {
    return [];
  }
}

export function fieldOf(row: unknown, name: string): unknown {
  return typeof row === "object" && row !== null
    ? Object.entries(row).find(([key]) => key === name)?.[1]
    : undefined;
}
