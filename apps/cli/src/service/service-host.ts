import { execFile } from "node:child_process";
import { realpathSync } from "node:fs";
import { mkdir, unlink, writeFile } from "node:fs/promises";
import { homedir, userInfo } from "node:os";
import { dirname } from "node:path";

export interface ProgramEnd {
  /** Exit code; 127 for a missing program. */
  readonly code: number;
  /** Output of both streams, without the last line break. */
  readonly output: string;
}

/** Access of the service installer to the system. */
export interface ServiceHost {
  readonly platform: NodeJS.Platform;
  readonly uid: number;
  readonly userName: string;
  readonly home: string;
  /** Paths of Node and of the program that it runs: absolute, without symbolic links. */
  readonly node: string;
  readonly script: string;
  readonly run: (argv: readonly [string, ...string[]]) => Promise<ProgramEnd>;
  /** Writes a file that all may read, and makes its folder. Rejects with the system's error. */
  readonly write: (path: string, text: string) => Promise<void>;
  /** Resolves with false for a missing file. */
  readonly remove: (path: string) => Promise<boolean>;
}

export function systemServiceHost(): ServiceHost {
  return {
    platform: process.platform,
    uid: process.getuid?.() ?? -1,
    userName: userInfo().username,
    home: homedir(),
    node: realpathSync(process.execPath),
    script: realpathSync(process.argv[1] ?? ""),
    run: runProgram,
    write: writeServiceFile,
    remove: removeServiceFile,
  };
}

function runProgram([program, ...args]: readonly [string, ...string[]]): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    execFile(program, args, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`.trimEnd();
      if (error === null) return resolve({ code: 0, output });
      if (error.code === "ENOENT") return resolve({ code: 127, output: `there is no ${program}` });
      resolve({ code: typeof error.code === "number" ? error.code : 1, output: output || error.message });
    });
  });
}

export async function writeServiceFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { mode: 0o644 });
}

export async function removeServiceFile(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}
