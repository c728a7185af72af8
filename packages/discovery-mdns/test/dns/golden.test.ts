import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { type Decoded, decode } from "../../src/dns/decode.ts";
import { query, recordTypes, response } from "../../src/dns/record.ts";

/** Packet recorded on a wire; the file names its sender. */
async function golden(name: string): Promise<Decoded | null> {
  const file = await readFile(new URL(`golden/${name}.hex`, import.meta.url), "utf8");
  return decode(Buffer.from(file.replace(/#.*|\s/g, ""), "hex"));
}

function txt(...strings: readonly string[]): Uint8Array[] {
  return strings.map((string) => new TextEncoder().encode(string));
}

const type = "_lmserv._tcp.local";
const shared = { flush: false, ttlS: 4_500 };
const unique = { flush: true, ttlS: 120 };

const box = "gpu-box-01._lmserv._tcp.local";
const boxPointer = { ...shared, name: type, type: "PTR", target: box } as const;
const boxLocation = {
  ...unique,
  name: box,
  type: "SRV",
  priority: 0,
  weight: 0,
  port: 8_000,
  target: box,
} as const;
const boxText = { ...unique, ttlS: 4_500, name: box, type: "TXT", strings: txt("info=señal=1") } as const;
const boxAddress = { ...unique, name: box, type: "A", address: "10.77.0.1" } as const;
const box4 = [boxPointer, boxLocation, boxText, boxAddress];

test("python-zeroconf probes", async () => {
  expect(await golden("zeroconf-probe")).toEqual({
    malformed: 0,
    message: query({
      questions: [{ name: type, type: recordTypes.PTR, unicast: true }],
      authorities: [boxPointer],
    }),
  });
});

test("python-zeroconf announces the shape of the Python original", async () => {
  expect(await golden("zeroconf-announcement")).toEqual({
    malformed: 0,
    message: response({ answers: box4 }),
  });
});

test("python-zeroconf says goodbye", async () => {
  const answers = box4.map((record) => ({ ...record, ttlS: 0 }));
  expect(await golden("zeroconf-goodbye")).toEqual({ malformed: 0, message: response({ answers }) });
});

test("python-zeroconf answers by unicast, with an NSEC record that is malformed", async () => {
  const additionals = [boxLocation, boxText, boxAddress].map((record) => ({ ...record, flush: false }));
  expect(await golden("zeroconf-unicast-answer")).toEqual({
    malformed: 1,
    message: response({ answers: [boxPointer], additionals }),
  });
});

test("python-zeroconf knows answers, but no dots in names", async () => {
  const known = { ...shared, ttlS: 4_499, name: type, type: "PTR" } as const;
  expect(await golden("zeroconf-known-answers")).toEqual({
    malformed: 0,
    message: query({
      questions: [{ name: type, type: recordTypes.PTR, unicast: false }],
      answers: [
        { ...known, target: box },
        { ...known, target: "Küche 2.0._lmserv._tcp.local" },
      ],
    }),
  });
});

test("avahi probes for its host name and addresses", async () => {
  const reverse6 = `3.0.0.0.d.4.e.f.f.f.a.0.${"0.".repeat(16)}0.8.e.f.ip6.arpa`;
  const reverse4 = "3.0.77.10.in-addr.arpa";
  const tentative = { ...unique, flush: false };
  expect(await golden("avahi-probe")).toEqual({
    malformed: 0,
    message: query({
      questions: [reverse6, "h3.local", reverse4].map((name) => ({
        name,
        type: recordTypes.ANY,
        unicast: false,
      })),
      authorities: [
        { ...tentative, name: "h3.local", type: "A", address: "10.77.0.3" },
        { ...tentative, name: reverse4, type: "PTR", target: "h3.local" },
        { ...tentative, name: "h3.local", type: "AAAA", address: "fe80::aff:fe4d:3" },
        { ...tentative, name: reverse6, type: "PTR", target: "h3.local" },
      ],
    }),
  });
});

test("avahi announces a name with a dot, on a host with addresses of both families", async () => {
  const kitchen = "Küche 2\\.0._lmserv._tcp.local";
  expect(await golden("avahi-announcement")).toEqual({
    malformed: 0,
    message: response({
      answers: [
        { ...unique, ttlS: 4_500, name: kitchen, type: "TXT", strings: txt("info=a;b", "path=/v1") },
        { ...shared, name: type, type: "PTR", target: kitchen },
        { ...unique, name: kitchen, type: "SRV", priority: 0, weight: 0, port: 11_434, target: "h3.local" },
        { ...unique, name: "h3.local", type: "AAAA", address: "fe80::aff:fe4d:3" },
        { ...unique, name: "h3.local", type: "A", address: "10.77.0.3" },
        { ...shared, name: "_services._dns-sd._udp.local", type: "PTR", target: type },
      ],
    }),
  });
});

test("bonjour-service announces without compression and without the cache-flush bit", async () => {
  const bonjour = "Bonjour Box._lmserv._tcp.local";
  const host = { ...unique, flush: false, name: "bonjour-box.local" };
  expect(await golden("bonjour-service-announcement")).toEqual({
    malformed: 0,
    message: response({
      answers: [
        { ...shared, ttlS: 28_800, name: type, type: "PTR", target: bonjour },
        {
          ...unique,
          flush: false,
          name: bonjour,
          type: "SRV",
          priority: 0,
          weight: 0,
          port: 8_080,
          target: host.name,
        },
        { ...shared, name: bonjour, type: "TXT", strings: txt("info=bonjour", "path=/chat") },
        { ...shared, ttlS: 120, name: "_services._dns-sd._udp.local", type: "PTR", target: type },
        { ...host, type: "A", address: "10.77.0.2" },
        { ...host, type: "AAAA", address: "fe80::aff:fe4d:2" },
      ],
    }),
  });
});
