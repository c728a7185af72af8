import { describe, expect, test } from "vitest";
import { faultOf, file, made, resolve, resolveFile } from "./harness.ts";

/** Message, after the place in the file. */
async function complaint(content: unknown, input = {}) {
  const fault = await faultOf(resolveFile(content, input));
  expect(made).toEqual([]);
  const { line, message } = fault;
  const [place = "", ...rest] = message.split(": ");
  expect(place).toMatch(new RegExp(`^${file}:${line}:\\d+$`));
  return `${line}: ${rest.join(": ")}`;
}

const doc = (...lines: readonly string[]) => ["{", '  "version": 1,', ...lines, "}"].join("\n");
const transports = (...lines: readonly string[]) => doc('  "transports": {', ...lines, "  }");

describe("a file that is no JSON with comments", () => {
  test.each([
    [
      "a trailing comma",
      doc('  "transports": { "mdns": {}, /* and no more */ }'),
      '3: a comma stands before "}"; delete it: JSON has no trailing commas',
    ],
    [
      "a trailing comma in a list",
      transports('    "arp": { "ports": [1, 2,] }'),
      '4: a comma stands before "]"; delete it: JSON has no trailing commas',
    ],
    [
      "a missing comma",
      '{\n  "version": 1\n  "preset": "lan"\n}',
      "3: a comma is missing; the file is JSON, in which // and /* */ comments are allowed",
    ],
    [
      "two transports of one name",
      transports('    "arp": {},', '    "arp": { "sweep": true }'),
      '5: transports.arp stands here for the second time, and first in line 4; give the second transport a name of its own, and its kind as "type"',
    ],
    [
      "two values of one key",
      transports('    "arp": { "sweep": true, "sweep": false }'),
      "4: transports.arp.sweep stands here for the second time, and first in line 4; keep one of the two",
    ],
    [
      "nothing",
      "",
      '1: the file holds no object; the least is { "version": 1, "transports": { "mdns": {} } }',
    ],
    [
      "a list",
      "[]",
      '1: the file holds no object; the least is { "version": 1, "transports": { "mdns": {} } }',
    ],
    [
      "UTF-16",
      `\uFFFD\uFFFD${[...'{ "version": 1 }'].map((character) => `${character}\0`).join("")}`,
      "1: the file is UTF-16, as Windows PowerShell writes with >, and not UTF-8; save it as UTF-8",
    ],
    [
      "a mistake behind a byte order mark",
      '\uFEFF{ "version": 2 }',
      '1: version must be 1, and is 2; this version reads "version": 1',
    ],
    [
      "an open end",
      '{ "version": 1',
      '1: a "}" is missing; the file is JSON, in which // and /* */ comments are allowed',
    ],
  ])("%s", async (_, text, expected) => {
    expect(await complaint(text)).toBe(expected);
  });
});

describe("what cannot be in a file", () => {
  test.each([
    ["an unknown key", doc('  "transprots": {}'), '3: transprots is unknown; did you mean "transports"?'],
    ["no version", '{ "preset": "lan" }', '1: version is missing; this version reads "version": 1'],
    [
      "another version",
      '{ "version": 2 }',
      '1: version must be 1, and is 2; this version reads "version": 1',
    ],
    [
      "an unknown preset",
      doc('  "preset": "ofice"'),
      '3: preset must be one of lan, office, cloud, and is "ofice"; see the JSON Schema that $schema names',
    ],
    [
      "no transports",
      doc('  "transports": {}'),
      '3: transports is empty; list one, such as "mdns": {}, or leave the key out for that',
    ],
    [
      "a transport that is no object",
      transports('    "mdns": true'),
      "4: transports.mdns must be an object, and is true; see the JSON Schema that $schema names",
    ],
    [
      "a name that cannot be",
      transports('    "my mesh": {}'),
      "4: transports.my mesh is no name of a transport; a name is lower-case letters, digits and hyphens, and starts with a letter",
    ],
    [
      "a wrong duration",
      transports('    "mdns": {},', '    "arp": { "when": "mdns-silent", "after": "soon" }'),
      '5: transports.arp.after is "soon", which is no duration of at most 24h; write seconds, or a whole number and a unit, such as "500ms", "3s" or "2m"',
    ],
    [
      "a type that is no package",
      transports('    "near": { "type": "../arp" }'),
      '4: transports.near.type is "../arp", which is no name of a package; name an installed package',
    ],
    [
      "a missing package",
      transports('    "nats": {}'),
      "4: transports.nats needs the package @lmserv/discovery-nats, which is not installed for /srv/app; install it: npm install @lmserv/discovery-nats",
    ],
    [
      "an unknown option",
      transports('    "arp": {', '      "seep": true', "    }"),
      '5: transports.arp.seep is unknown; did you mean "sweep"?',
    ],
    [
      "an unknown option like no other",
      transports('    "arp": { "colour": "red" }'),
      "4: transports.arp.colour is unknown; known are: sweep, ports, sweepEveryMs, interfaces",
    ],
    [
      "an option of a wrong type",
      transports('    "arp": {', "      // all of them", '      "sweep": "yes"', "    }"),
      '6: transports.arp.sweep must be true or false, and is "yes"; change it there',
    ],
    [
      "a wrong option of a schema of zod",
      transports('    "mesh": {', '      "keyFile": "mesh.key",', '      "seeds": []', "    }"),
      "6: transports.mesh.seeds must name at least one seed; change it there",
    ],
    [
      "an unknown option deep within",
      transports(
        '    "mesh": { "keyFile": "mesh.key", "seeds": ["wss://a.example"],',
        '      "limits": { "maxPers": 1 } }',
      ),
      '5: transports.mesh.limits.maxPers is unknown; did you mean "maxPeers"?',
    ],
    [
      "what only the transport itself refuses",
      transports('    "arp": { "ports": [666] }'),
      "4: transports.arp cannot be: ports holds 666, which nobody asks; change it in the options of arp",
    ],
  ])("%s", async (_, text, expected) => {
    expect(await complaint(text, { files: { "/srv/app/mesh.key": "k" } })).toBe(expected);
  });

  test("a file is not merged with the next", async () => {
    const files = { [file]: '{ "version": 1 }', "/etc/lmserv/lmserv.config.jsonc": "{}" };
    await expect(resolve({ files })).resolves.toMatchObject({ file });
  });
});

describe("secrets", () => {
  const mesh = (line: string) =>
    transports('    "mesh": {', '      "seeds": ["wss://a.example"],', `      ${line}`, "    }");

  test("do not stand in the file", async () => {
    expect(await complaint(mesh('"key": "s3cret"'))).toBe(
      "6: transports.mesh.key must not stand here in the open; put it into a file of its own and name that as keyFile, or set LMSERV_TRANSPORTS__MESH__KEY",
    );
  });

  test("are read from their files, which are relative to the configuration", async () => {
    const line =
      '"keyFile": "secrets/mesh.key", "peersFile": "peers", "state": "state", "tls": { "certFile": "c", "keyFile": "/k" }';
    const files = {
      [file]: mesh(line),
      "/srv/app/secrets/mesh.key": "s3cret \r\n",
      "/srv/app/peers": "",
      "/srv/app/c": "PEM\nPEM\n",
      "/k": "PEM",
    };
    const config = await resolve({ cwd: "/", flags: { config: file }, files });
    expect(made[0]?.options).toEqual({
      seeds: ["wss://a.example"],
      key: "s3cret ",
      peersFile: "/srv/app/peers",
      state: "/srv/app/state",
      tls: { cert: "PEM\nPEM", key: "PEM" },
    });
    expect(JSON.stringify(config.settings)).not.toContain("s3cret");
    expect(config.settings).toContainEqual(
      expect.objectContaining({ path: "transports.mesh.keyFile", value: "secrets/mesh.key" }),
    );
  });

  test("are stronger from the environment, and not shown", async () => {
    const env = { LMSERV_TRANSPORTS__MESH__KEY: "s3cret" };
    const { settings } = await resolveFile(mesh('"keyFile": "not-there"'), { env });
    expect(made[0]?.options).toMatchObject({ key: "s3cret" });
    expect(settings).toContainEqual({
      path: "transports.mesh.key",
      value: null,
      isSecret: true,
      origin: { kind: "environment", variable: "LMSERV_TRANSPORTS__MESH__KEY" },
    });
    expect(JSON.stringify(settings)).not.toContain("s3cret");
  });

  test.each([
    [
      '"keyFile": "not-there"',
      "6: transports.mesh.keyFile names the file /srv/app/not-there, which cannot be read: ENOENT: no such file, open '/srv/app/not-there'; name one that this user may read",
    ],
    [
      '"keyFile": "empty"',
      "6: transports.mesh.keyFile names the file empty, which is empty; put the secret into it",
    ],
    [
      '"keyFile": "wide"',
      "6: transports.mesh.keyFile names the file wide, which is UTF-16, as Windows PowerShell writes with >, and not UTF-8; save it as UTF-8, in PowerShell with | Set-Content -Encoding ascii",
    ],
    [
      '"keyFile": "/k", "peersFile": "not-there"',
      "6: transports.mesh.peersFile names the file /srv/app/not-there, which cannot be read: ENOENT: no such file, open '/srv/app/not-there'; name one that this user may read",
    ],
    [
      '"keyFile": "/k", "tls": { "key": "s" }',
      "6: transports.mesh.tls.key must not stand here in the open; put it into a file of its own and name that as keyFile, or set LMSERV_TRANSPORTS__MESH__TLS__KEY",
    ],
    ['"keyFile": 1', "6: transports.mesh.keyFile must name a file; write its path as a text"],
    ['"seedz": 1', '6: transports.mesh.seedz is unknown; did you mean "seeds"?'],
    ['"kyeFile": ""', '6: transports.mesh.kyeFile is unknown; did you mean "keyFile"?'],
  ])("%s", async (line, expected) => {
    expect(
      await complaint(mesh(line), {
        files: { "/srv/app/empty": "\n", "/srv/app/wide": "\uFFFD\uFFFDk\0\r\0\n\0", "/k": "k" },
      }),
    ).toBe(expected);
  });
});

describe("what cannot be in the environment or on the command line", () => {
  test.each([
    [{ env: { LMSERV_TRANSPORTS: "mdns,mdns" } }, 'LMSERV_TRANSPORTS: names "mdns" twice; name it once'],
    [
      { flags: { transports: ["mDNS"] } },
      '--transport: names "mDNS", which is no name of a transport; a name is lower-case letters, digits and hyphens, and starts with a letter',
    ],
    [
      { env: { LMSERV_PRESET: "ofice" } },
      'LMSERV_PRESET: preset is "ofice", which is no preset; did you mean "office"?',
    ],
    [
      { env: { LMSERV_TRANSPORTS__MDSN__SUBTYPE: "ollama" } },
      'LMSERV_TRANSPORTS__MDSN__SUBTYPE: there is no transport "mdsn" to set this of; did you mean "mdns"?; a further one is named in LMSERV_TRANSPORTS',
    ],
    [
      { env: { LMSERV_TRANSPORTS__MDNS: "{}" } },
      "LMSERV_TRANSPORTS__MDNS: the variable names no option; write it as LMSERV_TRANSPORTS__ARP__SWEEP or LMSERV_GATEWAY__LISTEN",
    ],
    [
      { env: { LMSERV_TRANSPORTS__MDNS__SUB_TIPE: "x" } },
      'LMSERV_TRANSPORTS__MDNS__SUB_TIPE: transports.mdns.subTipe is unknown; did you mean "subtype"?',
    ],
    [
      { env: { LMSERV_TRANSPORTS__MDNS__MAX_INSTANCES: "many" } },
      'LMSERV_TRANSPORTS__MDNS__MAX_INSTANCES: transports.mdns.maxInstances must be a whole number from 1 to 100000, and is "many"; change it there',
    ],
    [
      { env: { LMSERV_TRANSPORTS__MDNS__OPTIONAL: "perhaps" } },
      'LMSERV_TRANSPORTS__MDNS__OPTIONAL: transports.mdns.optional must be true or false, and is "perhaps"; see the JSON Schema that $schema names',
    ],
    [
      { flags: { options: [{ flag: "--active", key: "sweep", value: true }] } },
      "--active: none of the chosen transports (mdns) has the option sweep; leave it out, or choose a transport that has it",
    ],
    [
      { flags: { transports: ["nats"] } },
      "--transport: transports.nats needs the package @lmserv/discovery-nats, which is not installed for /srv/app; install it: npm install @lmserv/discovery-nats",
    ],
  ])("%j", async (input, expected) => {
    expect((await faultOf(resolve(input))).message).toBe(expected);
  });
});
