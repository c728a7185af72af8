import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, test } from "vitest";
import { type InterfaceKind, systemOf } from "../src/index.ts";
import { isSameMachine, isSameStack, type MachineMark, markOf } from "../src/machine.ts";
import { readMachine, thisMachine } from "../src/machine-facts.ts";

/** Files of a system: its interfaces with an address, each file by its path, a link by its target. */
interface Shown {
  readonly up: Readonly<Record<string, string>>;
  readonly kinds?: Readonly<Record<string, InterfaceKind>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, string>>;
}

const card = "52:54:00:00:00:01";
const kernel = { "/proc/sys/kernel/random/boot_id": "b00t\n" };

/** Cards as Linux shows them; those in `up` have an address. */
function linux(cards: Readonly<Record<string, string>>, changes: Partial<Shown> = {}): Shown {
  const names = Object.keys(cards);
  const files = Object.fromEntries(
    names.flatMap((name) => [
      [`/sys/class/net/${name}/address`, cards[name] ?? ""],
      [`/sys/class/net/${name}/type`, "1"],
      [`/sys/class/net/${name}/addr_assign_type`, "0"],
    ]),
  );
  const links = Object.fromEntries(names.map((name) => [`/sys/class/net/${name}/device`, "../pci"]));
  const table = ["Inter-| Receive", " face |bytes", ...names.map((name) => `  ${name}: 0 0`)].join("\n");
  return {
    up: changes.up ?? {},
    files: { ...files, ...kernel, "/etc/machine-id": "1d\n", "/proc/self/net/dev": table, ...changes.files },
    links: { ...links, "/proc/self/ns/net": "net:[1]", ...changes.links },
  };
}

function mark({ up, kinds = {}, files = {}, links = {} }: Shown): MachineMark {
  const listed = Object.fromEntries(Object.entries(up).map(([name, mac]) => [name, [infoOf(mac)]]));
  const interfaces = systemOf(listed).interfaces.map((one) => ({
    ...one,
    kind: kinds[one.name] ?? one.kind,
  }));
  const paths = [...Object.keys(files), ...Object.keys(links)];
  const facts = readMachine(
    listed,
    { interfaces },
    {
      text: (path) => files[path]?.trim() ?? null,
      target: (path) => links[path] ?? null,
      names: (folder) => {
        const inside = paths.filter((path) => path.startsWith(`${folder}/`));
        return [...new Set(inside.map((path) => path.slice(folder.length + 1).split("/")[0] ?? ""))];
      },
    },
  );
  return markOf(facts);
}

function infoOf(mac: string): NetworkInterfaceInfo {
  const internal = mac === "00:00:00:00:00:00";
  return { family: "IPv4", address: "10.0.0.1", netmask: "255.0.0.0", mac, internal, cidr: "10.0.0.1/8" };
}

describe("the mark of a machine", () => {
  test("is the same after a restart, with another card, and with a card that is down", () => {
    const before = mark(linux({ eth0: card }, { up: { eth0: card } }));
    const after = mark(
      linux(
        { eth0: card, usb0: "52:54:00:00:00:02" },
        { files: { "/proc/sys/kernel/random/boot_id": "b2" } },
      ),
    );
    expect(isSameMachine(before, after)).toBe(true);
    expect(isSameStack(before, after)).toBe(false);
  });

  test("differs on a disk that was copied, where the system is the same and the cards are others", () => {
    const [one, copy] = [mark(linux({ eth0: card })), mark(linux({ eth0: "52:54:00:00:00:02" }))];
    expect(copy.installation).toBe(one.installation);
    expect(isSameMachine(one, copy)).toBe(false);
  });

  test("is of cards by the address that they were made with, whatever they are set to", () => {
    const wifi = { "/sys/class/net/w/phy80211/macaddress": card, "/sys/class/net/w/addr_assign_type": "3" };
    const bond = { "/sys/class/net/w/bonding_slave/perm_hwaddr": card };
    const plain = mark(linux({ w: card }));
    expect(plain.macs).toHaveLength(1);
    expect(mark(linux({ w: "02:11:11:11:11:11" }, { files: wifi })).macs).toEqual(plain.macs);
    expect(mark(linux({ w: "02:11:11:11:11:11" }, { files: bond })).macs).toEqual(plain.macs);
  });

  test.each<InterfaceKind>(["guests", "tunnel", "loopback"])(
    "leaves an interface out that leads to %s",
    (kind) => {
      const up = { eth0: card, x: "02:00:00:00:00:09" };
      expect(mark({ up, kinds: { x: kind } }).macs).toEqual(mark({ up: { eth0: card } }).macs);
      expect(mark({ up, kinds: { x: "lan" } }).macs).toHaveLength(2);
    },
  );

  test("takes a container's own address, and not the host's, which its /sys may show", () => {
    const host = linux({ eth0: card });
    const inside = { ...host, up: { eth0: "02:42:ac:11:00:02" } };
    expect(isSameMachine(mark(host), mark(inside))).toBe(false);
    expect(mark(inside).macs).toEqual(mark({ up: { eth0: "02:42:ac:11:00:02" } }).macs);
  });

  test("prefers addresses of makers to those that were made up", () => {
    const [wired, random] = ["00:1b:21:00:00:01", "02:00:00:00:00:01"];
    expect(mark({ up: { en0: wired, en1: random } }).macs).toEqual(mark({ up: { en0: wired } }).macs);
    expect(mark({ up: { en1: random } }).macs).toHaveLength(1);
  });

  test("tells InfiniBand cards apart by what does not change", () => {
    const guid = (last: string): string => `80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:00:00:${last}`;
    const [one, other] = [mark(linux({ ib0: guid("01") })), mark(linux({ ib0: guid("02") }))];
    expect(isSameMachine(one, other)).toBe(false);
    const queue = guid("01").replace("80:00:02:08", "80:00:02:99");
    expect(mark(linux({ ib0: queue })).macs).toEqual(one.macs);
  });

  test("names at most eight cards, always the same ones, and no card or system itself", () => {
    const macs = Array.from({ length: 12 }, (_, index) => [`e${index}`, `52:54:00:00:00:${10 + index}`]);
    const made = mark(linux(Object.fromEntries(macs)));
    expect(made.macs).toHaveLength(8);
    expect(mark(linux(Object.fromEntries([...macs].reverse())))).toEqual(made);
    expect(JSON.stringify(made)).toMatch(
      /^[^:]*"stack":"[0-9a-f]{16}","macs":\["[0-9a-f",]*"\],"installation":"[0-9a-f]{16}"}$/,
    );
  });

  test("of nothing but loopback is that of its system and its network stack", () => {
    const lone = (id: string, stack: string): MachineMark => {
      const lo = linux({}, { files: { "/etc/machine-id": id }, links: { "/proc/self/ns/net": stack } });
      return mark({ ...lo, up: { lo: "00:00:00:00:00:00" } });
    };
    expect(lone("1", "net:[1]").macs).toEqual([]);
    expect(isSameStack(lone("1", "net:[1]"), lone("1", "net:[1]"))).toBe(true);
    expect(isSameStack(lone("1", "net:[1]"), lone("1", "net:[2]"))).toBe(false);
    expect(isSameMachine(lone("1", "net:[1]"), lone("1", "net:[2]"))).toBe(true);
    expect(isSameMachine(lone("1", "net:[1]"), lone("2", "net:[1]"))).toBe(false);
  });

  test("of a system that shows nothing is nobody's", () => {
    const nothing = mark({ up: {} });
    expect(isSameStack(nothing, nothing)).toBe(false);
    expect(isSameMachine(nothing, nothing)).toBeNull();
  });

  test("of this machine is the same each time", () => {
    expect(thisMachine()).toEqual(thisMachine());
    expect(isSameStack(thisMachine(), thisMachine())).toBe(true);
  });
});
