import { execFile } from "node:child_process";

/** A table of thousands of rows takes half of this. */
const maxOutputBytes = 4 * 1_024 * 1_024;
/** PowerShell takes a second or two to start; whoever takes longer hangs. */
const maxRunMs = 10_000;

/** Runs a program to its end and resolves with what it printed; its own language is switched off where that works. */
export function runProgram(program: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: "C" };
    const options = { signal, env, timeout: maxRunMs, maxBuffer: maxOutputBytes, windowsHide: true };
    execFile(program, args, options, (error, stdout) => (error ? reject(error) : resolve(stdout)));
  });
}
