/** Wraps a callback of the caller, so that its errors and rejections never become faults of discovery. */
export function shielded<A extends readonly unknown[]>(
  callback: (...args: A) => unknown,
  onError: (error: unknown) => void = () => {},
): (...args: A) => void {
  const call = async (...args: A): Promise<unknown> => callback(...args);
  return (...args) => {
    call(...args).catch(onError);
  };
}
