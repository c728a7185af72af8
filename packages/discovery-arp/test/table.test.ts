import { describe, expect, it } from "vitest";
import type { Neighbor } from "../src/neighbors/neighbor.ts";
import { NeighborTable, type TableReader } from "../src/neighbors/table.ts";

const { signal } = new AbortController();

const neighbor = (last: number, link: string | null = "eth0"): Neighbor => ({
  address: `10.0.0.${last}`,
  mac: `02:00:00:00:00:0${last}`,
  link,
});

function reader(name: string, rows: readonly Neighbor[] | Error): TableReader {
  return { name, read: async () => (rows instanceof Error ? Promise.reject(rows) : rows) };
}

function tableOf(
  arpA: readonly Neighbor[] | Error | null,
  ...readers: readonly TableReader[]
): NeighborTable {
  const read = async (): Promise<Neighbor[]> => {
    if (arpA instanceof Error) throw arpA;
    return [...(arpA ?? [])];
  };
  return new NeighborTable({ readers, ipv6: null, loadArpA: () => (arpA ? read : null) });
}

describe("the neighbour table", () => {
  it("is what arp-a finds, as far as the states confirm it, with the links that they tell", async () => {
    const table = tableOf(
      [neighbor(1, null), neighbor(2, null)],
      reader("/proc", [neighbor(2), neighbor(3)]),
    );
    expect(await table.read(signal)).toEqual([neighbor(2)]);
    expect(table.way).toBe("arp-a, checked by /proc");
  });

  it("does not believe arp-a where the MAC differs", async () => {
    const other = { ...neighbor(1), mac: "02:00:00:00:00:99" };
    expect(await tableOf([other], reader("/proc", [neighbor(1)])).read(signal)).toEqual([]);
  });

  it.each([
    ["is missing", null],
    ["fails", new Error("no file")],
  ])("is what the states tell where arp-a %s", async (_, arpA) => {
    const table = tableOf(arpA, reader("/proc", [neighbor(2)]));
    expect(await table.read(signal)).toEqual([neighbor(2)]);
    expect(table.way).toBe("/proc");
  });

  it("is read by the first way that is open", async () => {
    const table = tableOf(null, reader("/proc", new Error("no file")), reader("ip", [neighbor(4)]));
    expect(await table.read(signal)).toEqual([neighbor(4)]);
    expect(table.way).toBe("ip");
  });

  it("is what arp-a finds where no other way is open", async () => {
    const table = tableOf([neighbor(1, null)], reader("/usr/sbin/arp", new Error("no program")));
    expect(await table.read(signal)).toEqual([neighbor(1, null)]);
  });

  it("cannot be read where no way is open, for all the reasons", async () => {
    const [one, other] = [new Error("no file"), new Error("no program")];
    const reading = tableOf(null, reader("/proc", one), reader("ip", other)).read(signal);
    await expect(reading).rejects.toMatchObject({ errors: [one, other] });
  });

  it("is of one family", async () => {
    const ipv6 = { ...neighbor(1), address: "fe80::1" };
    const both = reader("ip", [neighbor(1), ipv6]);
    const table = new NeighborTable({ readers: [both], ipv6: both, loadArpA: () => null });
    expect(await table.read(signal)).toEqual([neighbor(1)]);
    expect(await table.readIPv6(signal)).toEqual([ipv6]);
  });
});
