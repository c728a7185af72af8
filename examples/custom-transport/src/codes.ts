/** Codes of the checks that an examination of the file reports. */
export const checks = {
  "hosts-listed": ["ok", "The file lists hosts."],
  "hosts-empty": ["warn", "The file lists no host, or no line of it can be read."],
} as const;
