/** A callback of the caller's, so that what it throws or rejects with never becomes a fault of discovery. */
export function shielded<A extends readonly unknown[]>(
  callback: (...args: A) => unknown,
  onError: (error: unknown) => void = () => {},
): (...args: A) => void {
  const call = async (...args: A): Promise<unknown> => callback(...args);
  return (...args) => {
    call(...args).catch(onError);
  };
}
