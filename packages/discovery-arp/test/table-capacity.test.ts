import { describe, expect, it } from "vitest";
import {
  parseArpCacheStat,
  parseNtable,
  TableCapacity,
  type TableLoad,
} from "../src/sweep/table-capacity.ts";

const stat = `entries  allocs   destroys hash_grows lookups  hits     res_failed rcv_probes_mcast rcv_probes_ucast periodic_gc_runs forced_gc_runs unresolved_discards table_fulls
00000024 0002898b 000254d2 00000007   00034fb0 0000138f 00000530   00000000         00000000         000002f4         00000001       00000000            00000000
00000024 00027a0a 0002ae9f 00000006   0003bbf6 00003167 00000bb8   00000000         00000000         00000000         00000003       00000000            0000000a
`;

const ntable = `inet arp_cache 
    thresh1 128 thresh2 2048 thresh3 4096 gc_int 30000 
    config key_len 4 entry_size 336 entries 11 
        last_flush 2026-01-01 14:46:56 last_rand 2026-01-01 15:25:52 
        hash_rnd 294554967 hash_mask 0000ffff hash_chain_gc 0 proxy_qlen 0 
    refcnt 1 reachable 24036 base_reachable 30000 retrans 1000 
    stats allocs 328708 destroys 328697 hash_grows 13 
    res_failed 4328 lookups 461909 hits 17671 
    rcv_probes_mcast 0 rcv_probes_ucast 0 
    periodic_gc_runs 762 forced_gc_runs 4 
    table_fulls 1 

inet arp_cache 
    dev lo 
    refcnt 1 reachable 33184 base_reachable 30000 retrans 1000 
`;

const limits = { softLimit: 512, hardLimit: 1_024 };

function load(entries: number, clearings = 0, refusals = 0): TableLoad {
  return { entries, softLimit: 512, hardLimit: 1_024, clearings, refusals };
}

describe("the load of the kernel's table", () => {
  it("is read from /proc/net/stat/arp_cache, its counters over all processors", () => {
    expect(parseArpCacheStat(stat, limits)).toEqual({
      entries: 36,
      softLimit: 512,
      hardLimit: 1_024,
      clearings: 4,
      refusals: 10,
    });
  });

  it("is read from ip ntable, with the limit that is set", () => {
    expect(parseNtable(ntable)).toEqual({
      entries: 11,
      softLimit: 2_048,
      hardLimit: 4_096,
      clearings: 4,
      refusals: 1,
    });
  });

  it.each(["", "nonsense", "entries table_fulls\n"])("is not known from %j", (text) => {
    expect(parseArpCacheStat(text, limits)).toBeNull();
    expect(parseNtable(text)).toBeNull();
  });
});

describe("the room in the kernel's table", () => {
  it("is what is left below the limit, less what others may need", () => {
    expect(new TableCapacity().room(load(0), 0)).toBe(480);
    expect(new TableCapacity().room(load(200), 0)).toBe(280);
  });

  it("is none beyond the limit at first, where our own failed entries are the reason", () => {
    const capacity = new TableCapacity();
    expect(capacity.room(load(100), 0)).toBe(380);
    expect(capacity.room(load(480), 10)).toBe(0);
    expect(capacity.room(load(480), 15_000)).toBe(0);
    expect(capacity.room(load(100), 15_100)).toBe(380);
  });

  it("is a few at a time where the table stays full although ours must be gone", () => {
    const capacity = new TableCapacity();
    capacity.room(load(100), 0);
    expect(capacity.room(load(900), 10)).toBe(0);
    expect(capacity.room(load(900), 16_011)).toBe(32);
  });

  it("is a few at a time beyond the limit, where permanent entries may be the reason", () => {
    const capacity = new TableCapacity();
    expect(capacity.room(load(2_500), 0)).toBe(32);
    expect(capacity.room(load(2_532), 10)).toBe(32);
  });

  it.each([
    ["cleared it", load(800, 1)],
    ["refused an entry", load(800, 0, 1)],
  ])("is none for five seconds after the kernel %s", (_, pressed) => {
    const capacity = new TableCapacity();
    capacity.room(load(800), 0);
    expect(capacity.room(pressed, 1_000)).toBe(0);
    expect(capacity.room(pressed, 6_000)).toBe(0);
    expect(capacity.room(pressed, 6_001)).toBe(32);
  });
});
