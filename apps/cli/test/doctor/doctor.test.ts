import type {
  Check,
  CheckCode,
  DiagnosisContext,
  Finding,
  Transport,
  TransportPlugin,
} from "@lmserv/discovery-core/transport";
import { memory } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { Machine } from "../harness.ts";
import { closed, published } from "../schemas.ts";

let machine: Machine;
/** Codes of a machine that is alone on an ordinary network. */
const host = ["host/default-route", "host/no-server-found"];
const route = "Iface\tDestination\nnull\n";

beforeEach(() => {
  machine = new Machine();
  machine.files.set(
    "/proc/net/route",
    `${route}eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n`,
  );
});

type Diagnose = NonNullable<Transport["diagnose"]>;

/** Adds a transport with these findings to the command. */
function install(name: string, diagnose: Diagnose, declared: Partial<TransportPlugin> = {}): void {
  const transport = { ...memory({ network: machine.network, name }), diagnose };
  const neighbors = async (): Promise<string[]> => [];
  const plugin = name === "arp" ? { announces: false, neighbors, ...declared } : declared;
  machine.plugins.set(name, machine.factory(transport, plugin));
}

const verdicts: Readonly<Partial<Record<CheckCode, Check["verdict"]>>> = {
  INTERFACE_LEFT_OUT: "skip",
  "mdns/multicast-silent": "warn",
  "mdns/port-taken": "fail",
};

function check(code: CheckCode, { interface: on = null, fix = null, message }: Finding): Check {
  return { code, verdict: verdicts[code] ?? "ok", transport: "mdns", interface: on, message, fix };
}

function finding(...codes: readonly CheckCode[]): Diagnose {
  return async function* () {
    for (const code of codes) {
      yield check(code, { interface: "eth0", message: `found ${code}`, fix: "fix it" });
    }
  };
}

async function examine(...argv: readonly string[]) {
  const code = await machine.run(2_000, "doctor", "--json", ...argv);
  const document = JSON.parse(machine.stdout.text);
  expect(published.doctor(document), JSON.stringify(published.doctor.errors)).toBe(true);
  expect(closed.doctor(document), JSON.stringify(closed.doctor.errors)).toBe(true);
  const checks: readonly Check[] = document.checks;
  return { code, document, checks, codes: checks.map((one) => one.code) };
}

describe("the exit status and the verdict", () => {
  it.each<[readonly CheckCode[], string, number]>([
    [["mdns/port-free"], "ok", 0],
    [["mdns/port-free", "INTERFACE_LEFT_OUT"], "ok", 0],
    [["mdns/port-free", "mdns/multicast-silent"], "warn", 0],
    [["mdns/port-taken", "mdns/multicast-silent"], "fail", 1],
  ])("of %j are %s and %i", async (codes, verdict, code) => {
    machine.network.appear({ id: "box", port: 8000, info: "box" });
    install("mdns", finding(...codes));
    expect(await examine()).toMatchObject({ code, document: { verdict } });
  });
});

describe("every transport", () => {
  it("is examined unless some are chosen, and none is opened", async () => {
    install("mdns", finding("mdns/port-free"));
    const smoke = memory({ network: machine.network, name: "smoke" });
    const diagnose = finding("arp/neighbors-read");
    const open = () => Promise.reject(new Error("it must not be opened"));
    machine.plugins.set("smoke", machine.factory({ ...smoke, diagnose, open }));
    expect((await examine()).codes).toEqual(["mdns/port-free", "arp/neighbors-read", ...host]);
    machine.stdout.text = "";
    expect((await examine("--transport", "smoke")).codes).toEqual([
      "arp/neighbors-read",
      "host/default-route",
    ]);
  });

  it("that does not examine itself is said to", async () => {
    expect((await examine()).checks).toContainEqual(
      expect.objectContaining({ code: "NOTHING_TO_CHECK", verdict: "skip", transport: "mdns" }),
    );
  });

  it("that fails to is a finding, with what it found until then", async () => {
    install("mdns", async function* () {
      yield* finding("mdns/port-free")({} as DiagnosisContext, new AbortController());
      throw new Error("the sky fell");
    });
    const { code, codes, checks } = await examine();
    expect({ code, codes }).toEqual({
      code: 1,
      codes: ["mdns/port-free", "DIAGNOSIS_FAILED", ...host],
    });
    expect(checks[1]?.message).toContain("the sky fell");
  });

  it("that hangs is given up after a minute", async () => {
    install("mdns", hang);
    const { ended } = machine.start("doctor", "--json");
    await machine.until(() => machine.made.length > 0);
    await machine.clock.advance(60_000);
    await machine.until(() => machine.network.sent > 0);
    await machine.clock.advance(2_000);
    expect(await ended).toBe(1);
    expect(machine.stdout.text).toContain("it took too long");
  });

  it("may ask for neighbours, which are looked for once, by a sweep if told so", async () => {
    const ask: Diagnose = async function* ({ neighbors }, { signal }) {
      yield check("arp/neighbors-read", { message: (await neighbors(signal)).join() });
    };
    install("mdns", ask);
    install("smoke", ask);
    let looks = 0;
    install("arp", finding("arp/neighbor-room"), {
      neighbors: async () => [`192.0.2.${++looks}`],
    });
    const { checks } = await examine("--sweep", "--interface", "eth0");
    expect(checks.filter(({ code }) => code === "arp/neighbors-read").map(({ message }) => message)).toEqual([
      "192.0.2.1",
      "192.0.2.1",
    ]);
    const swept = machine.made.filter(({ options }) => (options as { sweep?: boolean }).sweep);
    expect(swept).toMatchObject([
      { options: { interfaces: ["eth0"] }, context: { interactive: false } },
      { options: { interfaces: ["eth0"] }, context: { interactive: true } },
      // The search sweeps as well.
      { options: { interfaces: ["eth0"] }, context: { interactive: true } },
    ]);
  });
});

describe("a configuration that is in use", () => {
  it.each([
    ["a file that is found by search", "file"],
    ["the environment", "environment"],
  ])("of %s is what is examined", async (_, where) => {
    const neededServer = { needsServer: true };
    install("mdns", finding("mdns/port-free"));
    install("bus", finding("INTERFACE_USED"), neededServer);
    const file = JSON.stringify({ version: 1, transports: { bus: {} } });
    if (where === "file") machine.files.set("/home/me/lmserv.config.jsonc", file);
    else machine.env.LMSERV_TRANSPORTS = "bus";
    expect((await examine()).codes).toEqual(["INTERFACE_USED", ...host]);
  });
});

describe("the command that finds more neighbours", () => {
  const telling: Diagnose = async function* ({ moreNeighbors = null }) {
    yield check("mdns/multicast-silent", { message: "silence", fix: moreNeighbors });
  };

  it("is told to transports, where there is one", async () => {
    install("mdns", telling);
    install("arp", finding("arp/neighbor-room"));
    const { checks } = await examine("--interface", "eth0");
    expect(checks[0]?.fix).toBe("lmserv doctor --sweep --interface eth0");
  });

  it("is none where nothing names neighbours, nor after a sweep", async () => {
    install("mdns", telling);
    expect((await examine()).checks[0]?.fix).toBeNull();
    install("arp", finding("arp/neighbor-room"));
    machine.stdout.text = "";
    expect((await examine("--sweep", "--transport", "mdns")).checks[0]?.fix).toBeNull();
  });
});

describe("for people", () => {
  it("checks are grouped, with what to do, and summed up", async () => {
    install("mdns", finding("mdns/port-taken", "mdns/multicast-heard"));
    expect(await machine.run(2_000, "doctor")).toBe(1);
    expect(machine.stdout.text).toBe(`mdns
  fail  found mdns/port-taken [mdns/port-taken]
        fix it

this machine
  warn  no LLM server of another machine is listed over mdns [host/no-server-found]
        on the machine that serves, run: lmserv up

1 fail, 1 warn, 2 ok (-v shows them all)

Servers cannot be found here: found mdns/port-taken. To mend it: fix it.
`);
    expect(machine.stderr.text).toBe("");
    machine.stdout.text = "";
    await machine.run(2_000, "doctor", "-v");
    expect(machine.stdout.text).toContain("  ok    found mdns/multicast-heard\n");
  });

  it("they have colours on a terminal that wants some", async () => {
    install("mdns", finding("mdns/port-taken"));
    machine.isTerminal = true;
    await machine.run(2_000, "doctor");
    expect(machine.stdout.text).toContain("\u001b[31mfail\u001b[39m");
    machine.stdout.text = "";
    machine.env.NO_COLOR = "1";
    await machine.run(2_000, "doctor");
    expect(machine.stdout.text).not.toContain("\u001b[31m");
  });

  it("nothing of what others said steers the terminal", async () => {
    install("mdns", async function* () {
      yield check("mdns/port-taken", { message: "held by \u001b[2Jx", fix: "\u001b[2J" });
    });
    await machine.run(2_000, "doctor");
    expect(machine.stdout.text).not.toContain("\u001b");
  });
});

it("a signal ends it without a word", async () => {
  install("mdns", hang);
  const running = machine.start("doctor");
  await machine.until(() => machine.made.length > 0);
  running.signal("SIGINT");
  expect(await running.ended).toBe(130);
  expect(machine.stdout.text).toBe("");
});

/** Finds nothing until it is told to stop. */
async function* hang(_: DiagnosisContext, { signal }: { signal: AbortSignal }): AsyncGenerator<Check, void> {
  await new Promise((_resolve, reject) => {
    signal.throwIfAborted();
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
