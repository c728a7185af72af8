import { join } from "node:path";
import type { ServiceHost } from "./service-host.ts";
import {
  descriptions,
  isBelowHome,
  nameOf,
  type PlanService,
  type ServedCommand,
  type ServiceSpec,
  type Step,
} from "./service-plan.ts";

/** Unit of systemd, of the system or of one user. */
export const systemdService: PlanService = (spec, host) => {
  const unit = `${nameOf(spec)}.service`;
  const folder = spec.user ? join(host.home, ".config/systemd/user") : "/etc/systemd/system";
  const control = (...args: string[]): Step => ["systemctl", ...(spec.user ? ["--user"] : []), ...args];
  return {
    file: join(folder, unit),
    text: unitText(spec, host),
    install: [control("daemon-reload"), control("enable", "--now", unit)],
    stop: [control("disable", "--now", unit)],
    clean: [control("daemon-reload")],
    status: control("status", "--no-pager", "--lines=5", unit),
    notes: notesOf(spec, host),
  };
};

function unitText(spec: ServiceSpec, host: ServiceHost): string {
  const words = [host.node, host.script, spec.command, ...spec.args].map(quoted).join(" ");
  const lines = [
    "[Unit]",
    `Description=${descriptions[spec.command]}`,
    "Documentation=https://github.com/lmserv/discovery",
    // The command itself waits for missing interfaces.
    "After=network.target",
    "",
    "[Service]",
    "Type=exec",
    `ExecStart=${words}`,
    "Restart=on-failure",
    "RestartSec=5",
    // Exit code of a mistake in the configuration, or of another running instance.
    "RestartPreventExitStatus=2",
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    // Interfaces are read over netlink.
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "SystemCallArchitectures=native",
    "UMask=0077",
    ...(spec.user ? [] : systemLines(spec, host)),
    "",
    "[Install]",
    `WantedBy=${spec.user ? "default.target" : "multi-user.target"}`,
  ];
  return `${lines.join("\n")}\n`;
}

/**
 * Lines that only the system's manager supports. `MemoryDenyWriteExecute` is left out: V8 compiles at run
 * time.
 */
function systemLines({ command }: ServiceSpec, { node, script }: ServiceHost): readonly string[] {
  const isHidden = [node, script].some(isBelowHome);
  return [
    "DynamicUser=yes",
    ...foldersOf(command),
    "CapabilityBoundingSet=",
    "ProtectSystem=strict",
    `ProtectHome=${isHidden ? "read-only" : "yes"}`,
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "RestrictNamespaces=yes",
    "SystemCallFilter=@system-service",
    "SystemCallErrorNumber=EPERM",
  ];
}

/**
 * Folders of the service's own.
 *
 * A service gets only those that it needs: the one that starts last takes them from the others, and the one
 * that ends first removes `/run/lmserv`.
 */
function foldersOf(command: ServedCommand): readonly string[] {
  const state = ["StateDirectory=lmserv", "StateDirectoryMode=0700", "Environment=XDG_STATE_HOME=%S"];
  // Every user may enter, but only the service may create files there: the socket of its list is trusted.
  const runtime = ["RuntimeDirectory=lmserv", "RuntimeDirectoryMode=0755"];
  return [...(command === "gateway" ? [] : state), ...(command === "announce" ? [] : runtime)];
}

/** Word of `ExecStart` (systemd.service(5), "Command lines"; systemd.unit(5), "Specifiers"). */
function quoted(word: string): string {
  const escaped = word.replace(/["\\]/g, "\\$&").replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[\w@%+=:,./-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}

function notesOf(spec: ServiceSpec, { node, script, userName }: ServiceHost): readonly string[] {
  if (spec.user) {
    return [`to have it run before ${userName} logs in: loginctl enable-linger ${userName}`];
  }
  const hidden = [node, script].find(isBelowHome);
  if (hidden === undefined) return [];
  return [
    `its user must be able to read ${hidden}, which lies below a home: install it for all, or use --user`,
  ];
}
