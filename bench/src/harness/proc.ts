import { readdir, readFile } from "node:fs/promises";

/** Processor time of all threads since the process started, in ms; null when it has ended. */
export async function cpuMs(pid: number): Promise<number | null> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => null);
  if (threads === null) return null;
  const times = await Promise.all(threads.map((thread) => threadCpuMs(`/proc/${pid}/task/${thread}`)));
  return times.reduce((sum, ms) => sum + ms, 0);
}

/** From the scheduler, in ns: the 10 ms ticks of `stat` are as much as some processes use in a minute. */
async function threadCpuMs(folder: string): Promise<number> {
  const text = await readFile(`${folder}/schedstat`, "utf8").catch(() => "0");
  return Number(text.split(" ")[0]) / 1e6;
}

/** Memory of a process, in MB of 10^6 bytes. */
export interface Memory {
  /** Resident, shared pages included. */
  readonly rss: number;
  /** Resident memory that is not shared: the cost of one more process. */
  readonly own: number;
}

/** Null when the process has ended. */
export async function memoryOf(pid: number): Promise<Memory | null> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
  if (text === "") return null;
  const field = (name: string): number => {
    const kib = new RegExp(`^${name}: +(\\d+) kB`, "m").exec(text)?.[1];
    return (Number(kib) * 1_024) / 1e6;
  };
  return { rss: field("Rss"), own: field("Private_Clean") + field("Private_Dirty") };
}
