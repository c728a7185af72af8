import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DiscoveryError } from "@lmserv/discovery-core";
import { checker } from "@lmserv/discovery-core/transport";
import { toJsonLine } from "@lmserv/discovery-gateway/document";
import { memory } from "@lmserv/discovery-testkit";
import { expect, test } from "vitest";
import { bashScript } from "../../src/completion/bash.ts";
import { formatFindings } from "../../src/doctor/findings.ts";
import { createReporter } from "../../src/output/reporter.ts";
import { Capture, Machine } from "../harness.ts";

/** One of each sort of invisible character, then visible text: Chinese, Arabic, Persian, emoji, accents. */
const hostile = `a\u001b]0;x\u0007\u009b2J\r\u2028\u202e\u2066\u200b\ufeff\u{e0041}\u3164\u2800z${"\u0301".repeat(9)}`;
const legitimate = "模型 نموذج می\u200cخ 👩\u200d💻 café";
const text = `${legitimate} ${hostile}`;
/** Characters that are invisible, or do more than they seem to, and a mark beyond the fourth. */
const unseen = /[\p{Cc}\p{Zl}\p{Zp}\u202e\u2066\u200b\ufeff\u{e0041}\u3164\u2800]|\u0301{5}/u;

const box = {
  ...{ id: "box", info: "box", host: "198.51.100.8", addresses: ["198.51.100.8"], port: 8_000 },
  ...{ server: "vllm", path: "/chat", hostname: "box", models: ["a"], apis: ["openai"] },
};

/** Machine near a host that announces such texts. */
function besideStranger(): Machine {
  const machine = new Machine();
  machine.network.appear({
    ...box,
    info: text,
    server: text,
    models: [text],
    hostname: text,
    path: "/\u200b模型",
  });
  return machine;
}

async function run(machine: Machine, ...argv: string[]): Promise<string> {
  await machine.run(3_000, ...argv);
  return machine.stdout.text + machine.stderr.text;
}

function configured(): Machine {
  const machine = new Machine();
  const options = { interfaces: [text] };
  const file = JSON.stringify({ version: 1, transports: { mdns: options } });
  machine.files.set("/home/me/lmserv.config.jsonc", file);
  return machine;
}

function reported(report: (reporter: ReturnType<typeof createReporter>) => void): string {
  const stderr = new Capture();
  report(createReporter(stderr, { quiet: false, verbose: true }));
  return stderr.text;
}

/** Text of a terminal without its control sequences. */
function withoutSequences(screen: string): string {
  const [first = "", ...others] = screen.replaceAll("\r", "").split("\u001b[");
  return [first, ...others.map((part) => part.replace(/^\d*[A-Jm]/, ""))].join("");
}

const finding = checker("host", {}, text)("DIAGNOSIS_FAILED", { message: text, fix: text });

/** Way out of the command: the files that write it, and its output. */
interface Way {
  readonly by: readonly string[];
  readonly print: () => string | Promise<string>;
  /** True if it is for programs, and escapes where the others replace. */
  readonly isJson?: true;
  /** Visible part of a foreign text. @default all of the legitimate part */
  readonly shows?: string;
}

const ways: Readonly<Record<string, Way>> = {
  table: { by: ["discover/discover.ts"], print: () => run(besideStranger(), "discover", "--no-check") },
  urls: {
    by: ["discover/discover.ts"],
    print: () => run(besideStranger(), "discover", "--print", "url"),
    shows: "/%E2%80%8B模型",
  },
  json: {
    by: ["discover/discover.ts"],
    print: () => run(besideStranger(), "discover", "--json"),
    isJson: true,
  },
  watch: {
    by: ["discover/line-views.ts"],
    print: () => run(besideStranger(), "discover", "--watch", "--timeout", "2s"),
  },
  "live table": {
    by: ["discover/live-view.ts"],
    print: async () => {
      const machine = besideStranger();
      machine.isTerminal = true;
      const screen = await run(machine, "discover", "--watch", "--timeout", "2s");
      return withoutSequences(screen);
    },
    // The rest is cut to the width of the terminal.
    shows: "模型 نموذج",
  },
  "watch as JSON": {
    by: ["discover/line-views.ts"],
    print: () => run(besideStranger(), "discover", "--watch", "--json", "--timeout", "2s"),
    isJson: true,
  },
  export: {
    by: ["export/export.ts"],
    print: () => run(besideStranger(), "export", "json"),
    isJson: true,
  },
  variables: {
    by: ["export/env.ts"],
    print: () => run(besideStranger(), "env"),
    // Other hosts choose only an address and a port of it.
    shows: "OPENAI_BASE_URL=http://198.18.0.1:8000/v1",
  },
  "service as it is": {
    by: ["service/service.ts"],
    print: () => {
      const machine = new Machine();
      machine.serviceHost = { ...machine.serviceHost, run: async () => ({ code: 0, output: text }) };
      return run(machine, "service", "status", "up");
    },
  },
  findings: {
    by: ["doctor/doctor.ts"],
    print: () => formatFindings([finding], { color: false, verbose: true, conclusion: "" }),
  },
  "findings as JSON": {
    by: ["doctor/doctor.ts"],
    print: () => toJsonLine({ formatVersion: "1.1", verdict: "fail", durationMs: 1, checks: [finding] }),
    isJson: true,
  },
  configuration: { by: ["config/print.ts"], print: () => run(configured(), "config", "print") },
  "configuration as JSON": {
    by: ["config/print.ts"],
    print: () => run(configured(), "config", "print", "--json"),
    isJson: true,
  },
  errors: { by: ["output/reporter.ts"], print: () => reported(({ error }) => error(text)) },
  warnings: { by: ["output/reporter.ts"], print: () => reported(({ warn }) => warn(text)) },
  log: { by: ["output/reporter.ts"], print: () => reported(({ log }) => log("info", text, { from: text })) },
  "echoed option": { by: ["program.ts"], print: () => run(new Machine(), "discover", `--${text}`) },
  "echoed value": { by: ["program.ts"], print: () => run(new Machine(), "discover", "--timeout", text) },
  "echoed command": { by: ["program.ts"], print: () => run(new Machine(), text) },
  "mistake in use": {
    by: ["program.ts"],
    print: () => run(new Machine(), "discover", "--config", `/${text}.jsonc`),
  },
  "stack trace": {
    by: ["run.ts"],
    print: async () => {
      const machine = new Machine();
      const create = (): never => {
        throw new Error(text);
      };
      const inner = memory({ network: machine.network, name: "mdns" });
      machine.plugins.set("mdns", machine.factory(inner, { create }));
      return run(machine, "discover");
    },
  },
  "new key": {
    by: ["commands/keygen.ts"],
    print: () => {
      const machine = new Machine();
      const radio = memory({ network: machine.network, name: "radio" });
      const keygen = { about: "Prepare a radio.", generate: async () => "key" };
      machine.plugins.set("radio", machine.factory(radio, { keygen }));
      return run(machine, "radio", "keygen", `/${text}`);
    },
  },
  completion: {
    by: ["commands/completion.ts"],
    print: () => run(new Machine(), "completion", "bash"),
    // Its words are the command's own.
    shows: "lmserv",
  },
};

test.each(Object.entries(ways))(
  "the way out %s shows what it prints",
  async (_, { print, isJson, shows }) => {
    const output = await print();
    expect(output).not.toBe("");
    for (const line of output.split("\n")) expect(line).not.toMatch(unseen);
    expect(output).toContain(shows ?? legitimate);
    if (isJson) for (const line of output.trim().split("\n")) JSON.parse(line);
  },
);

test("there are no other ways out", () => {
  const folder = new URL("../../src/", import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => {
    if (!file.endsWith(".ts")) return false;
    return /\bstd(out|err)\.write\(|\bwrite(Out|Err):/.test(readFileSync(new URL(file, folder), "utf8"));
  });
  const known = new Set(Object.values(ways).flatMap(({ by }) => by));
  // Frames with a text of their own.
  known.add("output/spinner.ts");
  expect(files.filter((file) => !known.has(file))).toEqual([]);
});

test("JSON tells what was announced, whatever it is", async () => {
  const machine = new Machine();
  machine.network.appear({ ...box, attributes: { note: text } });
  await machine.run(3_000, "discover", "--json");
  expect(JSON.parse(machine.stdout.text).nodes[0].attributes).toEqual({ note: text });
});

test.runIf(existsSync("/bin/bash"))("bash expands no name of an interface", () => {
  const folder = mkdtempSync(join(tmpdir(), "lmserv-bash-"));
  try {
    // Replaces the system's own, which lists the names of interfaces.
    const names = ["eth0", "$(touch mark)", "`touch mark`", "*", "eth\u200b1", "wlan0.7"];
    writeFileSync(join(folder, "ls"), `#!/bin/sh\ncat <<'END'\n${names.join("\n")}\nEND\n`, { mode: 0o755 });
    const script = bashScript({ name: "lmserv", options: [], commands: [] });
    const input = `${script}\ncur=""\n_lmserv_interfaces\nprintf '%s\\n' "\${COMPREPLY[@]}"\n`;
    const env = { PATH: `${folder}:/usr/bin:/bin` };
    const { stdout, stderr } = spawnSync("/bin/bash", ["--norc", "-s"], {
      ...{ input, env, cwd: folder, encoding: "utf8" },
    });
    expect({ stdout, stderr }).toEqual({ stdout: "eth0\nwlan0.7\n", stderr: "" });
    expect(readdirSync(folder)).toEqual(["ls"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a warning of discovery is shown", () => {
  const warning = new DiscoveryError("SEND_FAILED", text, { via: "mdns" });
  expect(reported(({ warn }) => warn(warning.message))).not.toMatch(/[^\P{Cc}\n]/u);
});
