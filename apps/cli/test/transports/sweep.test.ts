import { DiscoveryError } from "@lmserv/discovery-core";
import type { Transport, TransportPlugin } from "@lmserv/discovery-core/transport";
import type { DiscoverDocument, WatchLine } from "@lmserv/discovery-gateway/document";
import { memory } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { Machine } from "../harness.ts";

let machine: Machine;
beforeEach(() => {
  machine = newMachine();
});

/** Machine that can sweep. */
function newMachine(): Machine {
  const made = new Machine();
  const transport = memory({ network: made.network, name: "arp" });
  made.plugins.set("arp", made.factory(transport, { announces: false, ...passes }));
  return made;
}

const passes: Partial<TransportPlugin> = {
  firstPassMs: async (options) => (Object(options).sweep === true ? 4_600 : 1_500),
};

function printed(): DiscoverDocument {
  return JSON.parse(machine.stdout.text);
}

/** Transport that reports an unanswered search. */
function silent(name: string): Transport {
  const inner = memory({ network: machine.network, name });
  return {
    name,
    async open(context, options) {
      context.report(new DiscoveryError("NO_ANSWER", "nothing answered on eth0", { via: name }));
      return inner.open(context, options);
    },
  };
}

describe("an option of a transport that is not chosen", () => {
  it.each([
    [["--sweep"], /'--sweep' is for the transport arp: .*--transport mdns,arp/],
    [["--sweep", "--transport", "mdns"], /'--sweep' is for the transport arp/],
    [["--ports", "8000"], /'--ports' is for the transport arp/],
  ])("is a mistake: %j", async (options, complaint) => {
    expect(await machine.start("discover", ...options).ended).toBe(2);
    expect(machine.stderr.text).toMatch(complaint);
    expect(machine.network.sent).toBe(0);
  });
});

describe("lmserv announce", () => {
  it("cannot be done over ARP alone", async () => {
    expect(await machine.start("announce", "--port", "8000", "--transport", "arp").ended).toBe(2);
    expect(machine.stderr.text).toMatch(/--transport arp cannot announce; use mdns/);
  });
});

describe("--ports", () => {
  it.each([
    ["8000,", /from 1 to 65535/],
    ["8000,0", /from 1 to 65535/],
    ["8000,8000", /given twice/],
    [
      Array.from({ length: 65 }, (_, index) => index + 1).join(","),
      /transports\.arp\.ports must be a list of 0 to 64/,
    ],
  ])("cannot be %s", async (ports, complaint) => {
    expect(await machine.start("discover", "--transport", "arp", "--ports", ports).ended).toBe(2);
    expect(machine.stderr.text).toMatch(complaint);
  });

  it("are asked in the order given", async () => {
    await machine.run(3_000, "discover", "--transport", "arp", "--ports", "11434,8000", "-q");
    expect(machine.made).toMatchObject([{ options: { ports: [11434, 8000] } }]);
  });
});

describe("--sweep", () => {
  it("looks for as long as the sweep takes while nothing is found", async () => {
    expect(await machine.run(4_600, "discover", "--json", "--transport", "mdns,arp", "--sweep")).toBe(1);
    expect(printed()).toMatchObject({ complete: true, durationMs: 4_600 });
    expect(machine.made).toMatchObject([{}, { options: { sweep: true }, context: { interactive: true } }]);
  });

  it("looks for as long as --timeout says, and for three seconds where the transports are done by then", async () => {
    await machine.run(1_000, "discover", "--json", "--transport", "arp", "--sweep", "--timeout", "1s");
    expect(printed().durationMs).toBe(1_000);
    machine = newMachine();
    await machine.run(3_000, "discover", "--json", "--transport", "arp");
    expect(printed().durationMs).toBe(3_000);
  });

  it("shows on a terminal how far it is", async () => {
    machine.isTerminal = true;
    const running = machine.start("discover", "--transport", "arp", "--sweep");
    await machine.until(() => machine.made.length > 0);
    machine.made[0]?.context.onProgress?.({ done: 253, total: 253 });
    await machine.until(() => machine.network.sent > 0);
    await machine.clock.advance(4_600);
    await running.ended;
    expect(machine.stderr.text).toContain(" looking for LLM servers: asked 253 of 253 addresses");
  });
});

describe("the warning that nobody answered", () => {
  const advice = "; to ask every address of the subnet instead: ";

  it.each([
    [[], "lmserv discover --transport mdns,arp --sweep"],
    [["--interface", "eth0"], "lmserv discover --transport mdns,arp --sweep --interface eth0"],
  ])("shows the command that does without multicast: %j", async (options, command) => {
    machine.plugins.set("mdns", machine.factory(silent("mdns")));
    expect(await machine.run(3_000, "discover", "--json", ...options)).toBe(1);
    expect(printed().warnings.map(({ message }) => message)).toEqual([
      `nothing answered on eth0${advice}${command}`,
    ]);
  });

  it("shows it to who watches, too", async () => {
    machine.plugins.set("mdns", machine.factory(silent("mdns")));
    await machine.run(1_000, "discover", "--watch", "--json", "--timeout", "1s");
    const lines: WatchLine[] = machine.stdout.lines.map((line) => JSON.parse(line));
    expect(lines).toContainEqual(
      expect.objectContaining({
        type: "warning",
        message: expect.stringContaining("--transport mdns,arp --sweep"),
      }),
    );
  });

  it.each([[["--transport", "mdns,arp", "--sweep"]], [["--interface", "lo"]]])(
    "does not where that would be of no use: %j",
    async (options) => {
      machine.plugins.set("mdns", machine.factory(silent("mdns")));
      await machine.run(4_600, "discover", "--json", ...options);
      expect(printed().warnings.map(({ message }) => message)).toEqual(["nothing answered on eth0"]);
    },
  );
});
