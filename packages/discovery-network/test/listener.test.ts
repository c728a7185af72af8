import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { parseListeners, readListeners } from "../src/listener.ts";

const header =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const row = (local: string, state = "0A", inode = "4711"): string =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0000 100 0 0 10 0`;

describe("a table of sockets", () => {
  test.each([
    ["0100007F:2CAA", { address: "127.0.0.1", port: 11_434 }],
    ["00000000:1F90", { address: "0.0.0.0", port: 8_080 }],
    ["0101A8C0:1F40", { address: "192.168.1.1", port: 8_000 }],
    ["00000000000000000000000000000000:1F40", { address: "::", port: 8_000 }],
    ["00000000000000000000000001000000:1F40", { address: "::1", port: 8_000 }],
    ["0000000000000000FFFF00000100007F:1F40", { address: expect.stringContaining("127.0.0.1"), port: 8_000 }],
    ["000080FE00000000FF005450A1B2C3D4:1F40", { address: "fe80::5054:ff:d4c3:b2a1", port: 8_000 }],
  ])("names %s", (local, listener) => {
    expect(parseListeners(`${header}\n${row(local)}\n`)).toEqual([{ ...listener, inode: "4711" }]);
  });

  test("also lists connections, which are left out", () => {
    expect(parseListeners(`${header}\n${row("0100007F:2CAA", "01")}`)).toEqual([]);
  });

  test.each(["", header, "rubbish", row("xyz:1"), row("0100007F"), "   0: 0100007F:2CAA 00000000:0000 0A"])(
    "that makes no sense lists nothing odd: %j",
    (text) => {
      for (const { address } of parseListeners(text)) expect(address).toBe("127.0.0.1");
    },
  );
});

describe.skipIf(process.platform !== "linux")("this machine", () => {
  const servers: Server[] = [];

  afterEach(async () => {
    for (const server of servers.splice(0)) server.close();
  });

  async function listen(host: string): Promise<number> {
    const server = createServer().listen(0, host);
    servers.push(server);
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  }

  test.each(["127.0.0.1", "0.0.0.0", "::1"])(
    "shows a server on %s for as long as it listens",
    async (host) => {
      const port = await listen(host);
      const found = async () => (await readListeners())?.filter((listener) => listener.port === port);
      expect(await found()).toMatchObject([{ address: host, inode: expect.stringMatching(/^\d+$/) }]);
      const [server] = servers.splice(0);
      server?.close();
      if (server) await once(server, "close");
      expect(await found()).toEqual([]);
    },
  );
});

test("a system without the files does not tell", async () => {
  expect(await readListeners("/nowhere")).toBeNull();
});
