import type { HostProcess } from "../host-process.ts";
import type { Host } from "../lan.ts";
import { type AvahiService, parseBrowseLine } from "./avahi-line.ts";

const startTimeoutMs = 60_000;

/** A bus of our own: only root exists inside, and every client may send everything. */
const busScript = `set -e
mkdir -p "$1/avahi-daemon"
cat >"$1/bus.conf" <<END
<busconfig>
  <type>system</type>
  <listen>unix:path=$1/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
END
exec dbus-daemon "--config-file=$1/bus.conf" --nofork --nopidfile --print-address=1`;

/** avahi-daemon has its socket's folder and its user compiled in: mounts provide them. */
const daemonScript = `set -e
cat >"$1/avahi.conf" <<END
[server]
host-name=$2
allow-interfaces=$3
use-ipv4=yes
use-ipv6=yes
[reflector]
enable-reflector=$4
[publish]
publish-hinfo=no
publish-workstation=no
END
echo 'root:x:0:0::/:/bin/sh
avahi:x:0:0::/:/bin/false' >"$1/passwd"
echo 'root:x:0:
avahi:x:0:' >"$1/group"
mkdir -p /run/avahi-daemon
mount --bind "$1/avahi-daemon" /run/avahi-daemon
mount --bind "$1/passwd" /etc/passwd
mount --bind "$1/group" /etc/group
exec avahi-daemon -f "$1/avahi.conf" --no-drop-root --no-chroot --no-rlimits`;

export interface AvahiPublication {
  readonly name: string;
  /** @default "_lmserv._tcp" */
  readonly type?: string;
  readonly port: number;
  /** TXT strings, such as `info=gpu-box-01`. @default none */
  readonly txt?: readonly string[];
}

/** A host's avahi-daemon with a D-Bus of its own. Disposal kills both. */
export interface Avahi extends AsyncDisposable {
  readonly daemon: HostProcess;
  /** Services that `avahi-browse -prt` finds: one entry per interface and address family. */
  readonly browse: (type?: string) => Promise<readonly AvahiService[]>;
  /** Continuous `avahi-browse -pr`; `parseBrowseLine` parses its lines. */
  readonly watch: (type?: string) => Promise<HostProcess>;
  /** Publishes until the returned process ends; resolves when the name is established. */
  readonly publish: (service: AvahiPublication) => Promise<HostProcess>;
}

/**
 * Starts avahi-daemon on a host, once per host; resolves when it has established its host name.
 *
 * @param reflected - Interfaces between which it reflects packets. @default none: it uses eth0 alone
 */
export async function startAvahi(host: Host, reflected: readonly string[] = []): Promise<Avahi> {
  const folder = `/run/avahi-${host.name}`;
  const env = { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${folder}/bus` };

  const bus = await host.spawn(["sh", "-c", busScript, "sh", folder]);
  await bus.line((line) => line.startsWith("unix:"), { timeoutMs: startTimeoutMs });
  const interfaces = reflected.length > 0 ? reflected.join() : "eth0";
  const reflects = reflected.length > 0 ? "yes" : "no";
  const args = [folder, host.name, interfaces, reflects];
  const daemon = await host.spawn(["unshare", "--mount", "sh", "-c", daemonScript, "sh", ...args], { env });
  await daemon.stderrLine((line) => line.includes("Server startup complete"), { timeoutMs: startTimeoutMs });

  return {
    daemon,
    async browse(type = "_lmserv._tcp") {
      const { code, stdout, stderr } = await host.run(["avahi-browse", "-prt", type], { env });
      if (code !== 0) throw new Error(`avahi-browse failed: ${stderr.trim()}`);
      return stdout.split("\n").flatMap((line) => parseBrowseLine(line) ?? []);
    },
    watch: (type = "_lmserv._tcp") => host.spawn(["avahi-browse", "-pr", type], { env }),
    async publish({ name, type = "_lmserv._tcp", port, txt = [] }) {
      const service = await host.spawn(["avahi-publish", "-s", name, type, String(port), ...txt], { env });
      await service.stderrLine((line) => line.startsWith("Established under name"), {
        timeoutMs: startTimeoutMs,
      });
      return service;
    },
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      await bus[Symbol.asyncDispose]();
    },
  };
}
