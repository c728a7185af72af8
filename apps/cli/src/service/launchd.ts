import { join } from "node:path";
import { nameOf, type PlanService, type ServiceSpec } from "./service-plan.ts";

/** Job of launchd: an agent of the user, or a daemon of the system. */
export const launchdService: PlanService = (spec, host) => {
  const label = `org.lmserv.${spec.command}`;
  const folder = spec.user ? join(host.home, "Library/LaunchAgents") : "/Library/LaunchDaemons";
  const domain = spec.user ? `gui/${host.uid}` : "system";
  const file = join(folder, `${label}.plist`);
  return {
    file,
    text: plist(label, [host.node, host.script, spec.command, ...spec.args], logOf(spec, host.home)),
    install: [["launchctl", "bootstrap", domain, file]],
    stop: [["launchctl", "bootout", `${domain}/${label}`]],
    clean: [],
    status: ["launchctl", "print", `${domain}/${label}`],
    notes: ["this was never tried on macOS; please report what does not work"],
  };
};

function logOf(spec: ServiceSpec, home: string): string {
  return spec.user ? join(home, "Library/Logs", `${nameOf(spec)}.log`) : `/var/log/${nameOf(spec)}.log`;
}

function plist(label: string, words: readonly string[], log: string): string {
  const strings = words.map((word) => `    <string>${escaped(word)}</string>\n`).join("");
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${escaped(label)}</string>
  <key>ProgramArguments</key>
  <array>
${strings}  </array>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>10</integer>
  <key>StandardErrorPath</key>
  <string>${escaped(log)}</string>
</dict>
</plist>
`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
