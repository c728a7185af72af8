import { beforeEach, describe, expect, it } from "vitest";
import { Machine } from "../harness.ts";

let machine: Machine;

beforeEach(() => {
  machine = new Machine();
});

async function usageError(...argv: string[]): Promise<string> {
  const code = await machine.start(...argv).ended;
  expect({ code, stdout: machine.stdout.text }).toEqual({ code: 2, stdout: "" });
  expect(machine.network.sent).toBe(0);
  return machine.stderr.text;
}

describe("a mistake in the command line", () => {
  it.each([
    [["discover", "--wait", "0"], /--wait.*'0'.*from 1 to 10000/],
    [["discover", "--wait", "10001"], /'10001'.*from 1 to 10000/],
    [["discover", "--wait", "two"], /'two'/],
    [["discover", "--wait", "2", "--first"], /--first.*cannot be used with.*--wait/],
    [["discover", "--timeout", "3d"], /--timeout.*'3d'.*500ms, 3s, 2m or 1h/],
    [["discover", "--timeout", "0s"], /'0s'.*from 1ms to 24h/],
    [["discover", "--ttl", "500ms"], /--ttl.*'500ms'.*from 1s to 24h/],
    [["discover", "--timeout", "1s", "--timeout", "2s"], /--timeout.*'2s'.*only once/],
    [
      ["discover", "--transport", "pigeon"],
      /--transport: transports\.pigeon needs the package @lmserv\/discovery-pigeon, .*npm install/,
    ],
    [["discover", "--transport", "constructor"], /--transport: transports\.constructor needs the package/],
    [["discover", "--transport", "mdns,"], /--transport: names "", which is no name/],
    [["discover", "--transport", "mdns,mdns"], /"mdns" is given twice/],
    [["discover", "--transport", "mdns", "--transport", "mdns"], /"mdns" is given twice/],
    [
      ["discover", "--interface", "eth9"],
      /'eth9'.*lo \(127\.0\.0\.1, ::1\), eth0 \(198\.51\.100\.7, fe80::7%eth0\)/,
    ],
    [["discover", "--interface", "192.0.2.99"], /'192\.0\.2\.99'.*198\.51\.100\.7/],
    [["discover", "--interface", "lo", "--interface", "lo"], /"lo" is given twice/],
    [["discover", "--jsn"], /'--jsn'\n.*Did you mean --json\?/],
    [["discover", "-q", "-v"], /--quiet.*cannot be used with.*--verbose/],
    [["discover", "now"], /too many arguments/],
    [["discover", "--timeout"], /--timeout.*argument missing/],
    [["announce", "--port", "0"], /'0'.*from 1 to 65535/],
    [["announce", "--port", "65536"], /'65536'.*from 1 to 65535/],
    [["announce", "--port", "-1"], /'-1'.*from 1 to 65535/],
    [["announce", "--port", "8e3"], /'8e3'.*from 1 to 65535/],
    [["announce", "--port", "0x1f90"], /'0x1f90'.*from 1 to 65535/],
    [["announce", "--port", ""], /''.*from 1 to 65535/],
    [["announce", "--port", "1", "--port", "2"], /--port.*'2'.*only once/],
    [["announce", "--port", "1", "--info", "a", "--info", "b"], /--info.*'b'.*only once/],
    [["announce", "--port", "1", "--info", "é".repeat(126)], /252 bytes of UTF-8; from 0 to 250/],
    [["announce", "--port", "1", "--info", "a\u001b[2J"], /control characters/],
    [["announce", "--port", "1", "--name", ""], /0 bytes of UTF-8; from 1 to 63/],
    [["announce", "--port", "1", "--name", "x".repeat(64)], /64 bytes of UTF-8; from 1 to 63/],
    [["announce", "--port", "1", "--name", "a\nb"], /control characters/],
    [["announce", "--port", "1", "--path", "chat"], /'chat'.*starts with "\/"/],
    [["announce", "--port", "1", "--path", "/a b"], /neither spaces/],
    [["announce", "--port", "1", "--path", `/${"x".repeat(250)}`], /251 bytes of UTF-8/],
    [["announce", "--port", "1", "--model", "a", "a"], /"a" is given twice/],
    [["announce", "--port", "1", "--server", ""], /--server.*0 bytes/],
    [["announce", "--port", "1", "--document-port", "0"], /--document-port.*'0'.*from 1 to 65535/],
    [["announce", "--port", "1", "--document-port", "--document-port"], /--document-port.*only once/],
    [["announce", "--port", "9", "--document-port", "9"], /--document-port 9 is the server's own port/],
    [["announce", "--port", "8741", "--document-port"], /--document-port 8741 is the server's own port/],
    [["announce", "--port", "1", "--json"], /'--json'/],
    [["doctor", "--transport", "pigeon"], /needs the package @lmserv\/discovery-pigeon/],
    [["doctor", "--interface", "eth9"], /'eth9'.*eth0/],
    [["doctor", "--watch"], /'--watch'/],
    [["doctor", "now"], /too many arguments/],
    [["anounce"], /'anounce'\n.*Did you mean announce\?/],
  ])("%j", async (argv, complaint) => {
    expect(await usageError(...argv)).toMatch(complaint);
  });

  it("is shown the help when no command is given", async () => {
    expect(await usageError()).toContain("Usage: lmserv");
  });
});

describe("a question about the command", () => {
  it("tells its version", async () => {
    expect(await machine.start("--version").ended).toBe(0);
    expect(machine.stdout.text).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    ["--help"],
    ["discover", "--help"],
    ["announce", "--help"],
    ["run", "--help"],
    ["doctor", "--help"],
    ["completion", "--help"],
    ["help", "announce"],
  ])("shows help on stdout: %s %s", async (...argv) => {
    expect(await machine.start(...argv.filter((word) => word !== undefined)).ended).toBe(0);
    expect(machine.stdout.text).toContain("Usage: lmserv");
    expect(machine.stderr.text).toBe("");
  });

  it.each(["discover", "announce", "run", "doctor", "completion"])(
    "gives examples for %s",
    async (command) => {
      await machine.start(command, "--help").ended;
      expect(machine.stdout.text).toMatch(new RegExp(`Examples:\\n.*lmserv ${command}`));
    },
  );
});
