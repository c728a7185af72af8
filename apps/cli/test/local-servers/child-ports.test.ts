import type { Listener } from "@lmserv/discovery-network";
import { beforeEach, describe, expect, test } from "vitest";
import { ChildPorts } from "../../src/local-servers/child-ports.ts";

let table: Listener[] | null;
/** Sockets of the child and its descendants. */
let own: Set<string>;
let accepting: Set<number>;
/** Count of searches through the processes, and the ports that were connected to. */
let passes: number;
let connected: number[];

beforeEach(() => {
  table = [];
  own = new Set();
  accepting = new Set();
  passes = 0;
  connected = [];
});

const { signal } = new AbortController();
const bound = (port: number, inode: string): Listener => ({ address: "0.0.0.0", port, inode });

async function started(isNamed: boolean): Promise<ChildPorts> {
  const options = {
    ports: isNamed ? [8_080] : [8_080, 11_434],
    isNamed,
    readListeners: async () => table,
    readSocketsBelow: async () => {
      passes += 1;
      return table && own;
    },
    isAccepted: async (port: number) => {
      connected.push(port);
      return accepting.has(port);
    },
  };
  const ports = await ChildPorts.before(options, signal);
  ports.start(4_711);
  return ports;
}

const listeners = async (ports: ChildPorts): Promise<readonly number[] | undefined> =>
  (await ports.readListeners())?.map(({ port }) => port);

describe("where sockets show their processes", () => {
  test("only known ports of the child count", async () => {
    const ports = await started(false);
    table = [bound(8_080, "1"), bound(11_434, "2"), bound(9_999, "3")];
    own = new Set(["2", "3"]);
    expect(await listeners(ports)).toEqual([11_434]);
    expect(await ports.others()).toEqual([9_999]);
  });

  test("no port is connected to to learn whether it is open", async () => {
    accepting.add(8_080);
    const ports = await started(false);
    expect(await ports.isAccepted(8_080, signal)).toBe(false);
    expect(connected).toEqual([]);
  });

  test("the processes are looked through for new sockets only", async () => {
    const ports = await started(false);
    await listeners(ports);
    expect(passes).toBe(0);
    table = [bound(8_080, "1"), bound(11_434, "2")];
    own = new Set(["2"]);
    for (let look = 0; look < 10; look += 1) expect(await listeners(ports)).toEqual([11_434]);
    expect(passes).toBe(2);
    table = [bound(8_080, "1"), bound(11_434, "4")];
    own = new Set(["4"]);
    expect(await listeners(ports)).toEqual([11_434]);
    expect(passes).toBe(3);
  });

  test("a socket that was between two processes at a look is found at the next", async () => {
    const ports = await started(false);
    table = [bound(8_080, "1")];
    expect(await listeners(ports)).toEqual([]);
    own = new Set(["1"]);
    expect(await listeners(ports)).toEqual([8_080]);
  });

  test("a socket from before the child is none of its own, also at the port that was named", async () => {
    table = [bound(8_080, "1")];
    accepting.add(8_080);
    const ports = await started(true);
    expect(await listeners(ports)).toEqual([]);
    expect(await ports.isAccepted(8_080, signal)).toBe(false);
    expect(ports.isEarlier(8_080)).toBe(true);
    table = [bound(8_080, "2")];
    expect(await listeners(ports)).toEqual([8_080]);
  });

  test("any process may open the port that was named", async () => {
    const ports = await started(true);
    table = [bound(8_080, "1")];
    expect([await listeners(ports), passes]).toEqual([[8_080], 0]);
  });
});

describe("where the system tells nothing", () => {
  beforeEach(() => {
    table = null;
  });

  test.each([false, true])("a port counts that was closed before the child (named: %s)", async (isNamed) => {
    const ports = await started(isNamed);
    expect(await ports.readListeners()).toBeNull();
    expect(await ports.isAccepted(8_080, signal)).toBe(false);
    accepting.add(8_080);
    expect(await ports.isAccepted(8_080, signal)).toBe(true);
    expect(await ports.others()).toEqual([]);
  });

  test("a port that was open before counts once it was closed", async () => {
    accepting.add(8_080);
    const ports = await started(false);
    expect(await ports.isAccepted(8_080, signal)).toBe(false);
    accepting.delete(8_080);
    expect(await ports.isAccepted(8_080, signal)).toBe(false);
    accepting.add(8_080);
    expect(await ports.isAccepted(8_080, signal)).toBe(true);
  });
});
