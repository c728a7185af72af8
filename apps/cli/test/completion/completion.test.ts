import { spawnSync } from "node:child_process";
import { memory } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { Machine } from "../harness.ts";

let machine: Machine;

beforeEach(() => {
  machine = new Machine();
  const { network, plugins } = machine;
  const keygen = { about: "Prepare a mesh.", generate: async () => "key" };
  for (const [name, declared] of Object.entries({ arp: { announces: false }, mesh: { keygen } })) {
    plugins.set(name, machine.factory(memory({ network, name }), declared));
  }
});

async function script(shell: string): Promise<string> {
  expect(await machine.start("completion", shell).ended).toBe(0);
  return machine.stdout.text;
}

/** True if a shell is installed to try the script. */
function has(shell: string): boolean {
  return spawnSync(shell, ["--version"]).status === 0;
}

function run(shell: string, args: readonly string[], input: string): string {
  const { stdout, stderr, status } = spawnSync(shell, args, { input, encoding: "utf8" });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  return stdout;
}

describe.runIf(has("bash"))("bash", () => {
  /** Completes the last of these words, in bash itself. */
  async function complete(...words: readonly string[]): Promise<readonly string[]> {
    const line = words.map((word) => `'${word}'`).join(" ");
    const press = `
COMP_WORDS=(lmserv ${line})
COMP_CWORD=${words.length}
_lmserv
printf '%s\\n' "\${COMPREPLY[@]}"
`;
    const output = run("bash", ["--norc", "-s"], `${await script("bash")}${press}`);
    machine.stdout.text = "";
    // A command in several folders is shown once.
    return [...new Set(output.split("\n").filter((word) => word !== ""))];
  }

  it("takes the script, and lets it complete the command", async () => {
    run("bash", ["-n"], await script("bash"));
    machine.stdout.text = "";
    const asked = `${await script("bash")}\ncomplete -p lmserv\n`;
    expect(run("bash", ["--norc", "-s"], asked)).toBe("complete -F _lmserv lmserv\n");
  });

  it.each<[readonly string[], readonly string[]]>([
    [
      [""],
      [
        "up",
        "discover",
        "announce",
        "run",
        "gateway",
        "export",
        "env",
        "service",
        "mesh",
        "doctor",
        "config",
        "completion",
        "help",
      ],
    ],
    [["d"], ["discover", "doctor"]],
    [["--v"], ["--version"]],
    [
      ["discover", "--wa"],
      ["--watch", "--wait"],
    ],
    [["discover", "--json", "--fi"], ["--first"]],
    [["doctor", "--sw"], ["--sweep"]],
    [["announce", "--no"], ["--no-check"]],
    [
      ["discover", "--transport", ""],
      ["mdns", "arp", "mesh"],
    ],
    [
      ["discover", "--transport", "m"],
      ["mdns", "mesh"],
    ],
    [
      ["discover", "--transport", "mdns,"],
      ["mdns,arp", "mdns,mesh"],
    ],
    [["discover", "--transport", "mdns,arp,m"], ["mdns,arp,mesh"]],
    [["discover", "--transport", "=", "a"], ["arp"]],
    [
      ["discover", "--transport", "="],
      ["mdns", "arp", "mesh"],
    ],
    [["discover", "--timeout", ""], []],
    [["announce", "--document-port", ""], []],
    [["announce", "--document-port", "--mod"], ["--model"]],
    [
      ["completion", ""],
      ["bash", "zsh", "fish"],
    ],
    [["completion", "f"], ["fish"]],
    [["help", "a"], ["announce"]],
    [["pigeon", ""], []],
    [
      ["run", "--por"],
      ["--port", "--ports"],
    ],
    [["run", "--port", "8000", "--", "mktem"], ["mktemp"]],
    [["run", "--", "ls", "--por"], []],
    [["run", "--", "ls", "/bin/mkdi"], ["/bin/mkdir"]],
    [["discover", "--", "--firs"], ["--first"]],
  ])("completes %j to %j", async (words, offered) => {
    expect(await complete(...words)).toEqual(offered);
  });

  it("completes this machine's interfaces", async () => {
    expect(await complete("doctor", "--interface", "")).toContain("lo");
    expect(await complete("doctor", "--interface", "no-such")).toEqual([]);
  });

  it("offers every option that the help tells of", async () => {
    for (const command of ["up", "discover", "announce", "run", "doctor"]) {
      await machine.start(command, "--help").ended;
      const told = [...machine.stdout.text.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, name]) => name);
      machine.stdout.text = "";
      const offered = await complete(command, "--");
      expect(told.length).toBeGreaterThan(4);
      expect([...offered].sort()).toEqual([...told].sort());
    }
  });
});

describe.each([
  ["zsh", ["-n"]],
  ["fish", ["--no-execute"]],
])("%s", (shell, check) => {
  it.runIf(has(shell))(`takes the script${has(shell) ? "" : " [skipped: not installed]"}`, async () => {
    run(shell, check, await script(shell));
  });

  it("is offered the commands, their options and what may follow those", async () => {
    const text = await script(shell);
    for (const word of [
      "discover",
      "announce",
      "doctor",
      "completion",
      "document-port",
      "mdns",
      "arp",
      "mesh",
    ]) {
      expect(text).toContain(word);
    }
    expect(text).toContain("interfaces");
  });
});

describe("a mistake", () => {
  it.each([
    [["completion", "tcsh"], /'tcsh' is invalid.*bash, zsh, fish/],
    [["completion"], /missing required argument 'shell'/],
    [["completion", "bash", "zsh"], /too many arguments/],
  ])("%j", async (argv, complaint) => {
    expect(await machine.start(...argv).ended).toBe(2);
    expect(machine.stderr.text).toMatch(complaint);
    expect(machine.stdout.text).toBe("");
  });
});
