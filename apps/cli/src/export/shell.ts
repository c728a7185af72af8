/** Shells whose commands set a variable. */
export const shells = ["sh", "fish", "powershell"] as const;
export type Shell = (typeof shells)[number];

/** Assignment as a command of a shell, or as a line of a file for null. */
export function assignment(shell: Shell | null, name: string, value: string): string {
  return writers[shell ?? "file"](name, value);
}

/** Values hold addresses and ports only; they are quoted all the same. */
const writers: Readonly<Record<Shell | "file", (name: string, value: string) => string>> = {
  file: (name, value) => `${name}=${value}`,
  sh: (name, value) => `export ${name}='${value.replaceAll("'", "'\\''")}'`,
  fish: (name, value) => `set -gx ${name} '${value.replaceAll("'", "\\'")}'`,
  powershell: (name, value) => `$env:${name} = '${value.replaceAll("'", "''")}'`,
};
