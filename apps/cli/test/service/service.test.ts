import { execFileSync, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Machine } from "../harness.ts";

let machine: Machine;
let folder: string;
/** Command lines that the system was given. */
let ran: string[];

beforeEach(async () => {
  machine = new Machine();
  ran = [];
  folder = await mkdtemp(join(tmpdir(), "lmserv-service-"));
  machine.serviceHost = {
    ...machine.serviceHost,
    home: folder,
    run: async (argv) => {
      ran.push(argv.join(" "));
      return { code: 0, output: "active" };
    },
  };
});

afterEach(() => rm(folder, { recursive: true }));

async function printed(...argv: readonly string[]): Promise<string> {
  expect(await machine.start("service", "install", ...argv).ended).toBe(0);
  return machine.stdout.text;
}

function has(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe("lmserv service", () => {
  test("installs, shows and removes a unit of the user, and says what it did", async () => {
    const file = join(folder, ".config/systemd/user/lmserv-up.service");
    expect(await machine.start("service", "install", "up", "--user", "--", "--share").ended).toBe(0);
    expect(await readFile(file, "utf8")).toMatch(/^ExecStart=\/usr\/bin\/node \S+\/lmserv\.mjs up --share$/m);
    expect(ran).toEqual([
      "systemctl --user daemon-reload",
      "systemctl --user enable --now lmserv-up.service",
    ]);
    expect(machine.stderr.text).toContain(`wrote ${file}\n`);
    expect(machine.stderr.text).toContain("loginctl enable-linger me");
    expect(await machine.start("service", "status", "up", "--user").ended).toBe(0);
    expect(machine.stdout.text).toBe("active\n");
    expect(await machine.start("service", "uninstall", "up", "--user").ended).toBe(0);
    await expect(readFile(file)).rejects.toThrow("ENOENT");
    expect(machine.stderr.text).toContain(`removed ${file}\n`);
    expect(ran.slice(3)).toEqual([
      "systemctl --user disable --now lmserv-up.service",
      "systemctl --user daemon-reload",
    ]);
  });

  test("only shows the file where that is asked for", async () => {
    const text = await printed("gateway", "--print");
    expect(text).toMatch(/^DynamicUser=yes$/m);
    expect(text).toMatch(/^ProtectHome=yes$/m);
    expect(ran).toEqual([]);
  });

  test("lets Node compile, and read interfaces over netlink", async () => {
    const text = await printed("up", "--print");
    expect(text).not.toContain("MemoryDenyWriteExecute");
    expect(text).toMatch(/^RestrictAddressFamilies=.*\bAF_UNIX AF_INET AF_INET6 AF_NETLINK$/m);
  });

  test.each([
    ["up", ["RuntimeDirectory=lmserv", "StateDirectory=lmserv"]],
    ["announce", ["StateDirectory=lmserv"]],
    ["gateway", ["RuntimeDirectory=lmserv"]],
  ])("gives %s the folders alone that it needs", async (command, folders) => {
    const lines = (await printed(command, "--print")).split("\n");
    expect(lines.filter((line) => /^(Runtime|State)Directory=/.test(line)).sort()).toEqual(folders);
    expect(lines.includes("RuntimeDirectoryMode=0755")).toBe(folders.includes("RuntimeDirectory=lmserv"));
  });

  test("leaves a Node below a home visible, and says what that takes", async () => {
    machine.serviceHost = { ...machine.serviceHost, node: "/home/me/.nvm/node" };
    expect(await printed("up", "--print")).toMatch(/^ProtectHome=read-only$/m);
    expect(machine.stderr.text).toContain("its user must be able to read /home/me/.nvm/node");
  });

  test("refuses a command in the cache of npx, and systems that it does not know", async () => {
    machine.serviceHost = {
      ...machine.serviceHost,
      script: "/home/me/.npm/_npx/1f/node_modules/.bin/lmserv",
    };
    expect(await machine.start("service", "install", "up", "--user").ended).toBe(2);
    expect(machine.stderr.text).toContain("npm install --global @lmserv/cli");
    machine.serviceHost = { ...machine.serviceHost, script: "/lmserv", platform: "win32" };
    expect(await machine.start("service", "install", "up").ended).toBe(2);
    expect(machine.stderr.text).toContain("there is no service for win32");
  });

  test("refuses an option that would begin a line of its own", async () => {
    expect(
      await machine.start("service", "install", "up", "--print", "--", "--info", "a\nExecStartPre=/evil")
        .ended,
    ).toBe(2);
    expect(machine.stderr.text).toContain("holds a control character");
    expect(machine.stdout.text).toBe("");
  });

  test("tells of a manager that is not there, and of a file that cannot be written", async () => {
    machine.serviceHost = {
      ...machine.serviceHost,
      run: async () => ({ code: 127, output: "there is no systemctl" }),
    };
    expect(await machine.start("service", "install", "up", "--user").ended).toBe(70);
    expect(machine.stderr.text).toContain(
      "systemctl --user daemon-reload ended with 127: there is no systemctl",
    );
    machine.serviceHost = { ...machine.serviceHost, home: join(folder, "file") };
    await writeFile(join(folder, "file"), "");
    expect(await machine.start("service", "install", "up", "--user").ended).toBe(70);
    expect(machine.stderr.text).toMatch(/cannot write .*: E\w+.*; as root, or with --user/);
  });

  test.each([["install", "discover"], ["uninstall"], ["install"]])("refuses %j", async (...argv) => {
    expect(await machine.start("service", ...argv.filter((word) => word !== undefined)).ended).toBe(2);
  });
});

describe("a unit", () => {
  test.runIf(has("systemd-analyze")).each([
    ["up", "system", "multi-user.target"],
    ["announce", "system", "multi-user.target"],
    ["gateway", "system", "multi-user.target"],
    ["up", "user", "default.target"],
  ] as const)("of %s for the %s is verified and enabled by systemd", async (command, manager, target) => {
    machine.serviceHost = { ...machine.serviceHost, node: process.execPath, script: process.argv[1] ?? "" };
    const options = manager === "user" ? ["--print", "--user"] : ["--print"];
    const text = await printed(command, ...options, "--", "--info", 'a "b" $HOME 100% c\\d');
    const units = `/etc/systemd/${manager}`;
    const name = `lmserv-${command}.service`;
    await mkdir(join(folder, units), { recursive: true });
    await writeFile(join(folder, units, name), text);
    const globally = manager === "user" ? ["--global"] : [];
    execFileSync("systemctl", [...globally, `--root=${folder}`, "enable", name], { stdio: "ignore" });
    expect(await readlink(join(folder, units, `${target}.wants`, name))).toBe(`${units}/${name}`);
    const verify = ["verify", `--${manager}`, "--man=no", join(folder, units, name)];
    const judged = spawnSync("systemd-analyze", verify, {
      env: { ...process.env, XDG_RUNTIME_DIR: folder },
    });
    expect({ code: judged.status, said: `${judged.stdout}${judged.stderr}` }).toEqual({ code: 0, said: "" });
  });

  test.runIf(has("python3"))("of launchd is read by plistlib", async () => {
    machine.serviceHost = { ...machine.serviceHost, platform: "darwin" };
    const text = await printed("up", "--user", "--print", "--", "--info", "a & <b>");
    const code = "import plistlib, sys, json; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))";
    const read = JSON.parse(execFileSync("python3", ["-c", code], { input: text, encoding: "utf8" }));
    expect(read).toMatchObject({ Label: "org.lmserv.up", RunAtLoad: true });
    expect(read.ProgramArguments.slice(2)).toEqual(["up", "--info", "a & <b>"]);
    expect(machine.stderr.text).toContain("never tried on macOS");
  });
});
