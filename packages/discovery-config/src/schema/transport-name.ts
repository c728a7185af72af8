/** A name becomes a part of environment variables, and of lists with commas and pluses. */
export const namePattern: RegExp = /^[a-z][a-z0-9-]{0,62}$/;
export const nameRule = "a name is lower-case letters, digits and hyphens, and starts with a letter";

export function isTransportName(name: string): boolean {
  return namePattern.test(name);
}
