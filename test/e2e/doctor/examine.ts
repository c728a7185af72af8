import type { Command, Host } from "@lmserv/test-netlab";
import { lmserv } from "../command/command.ts";

export interface Check {
  readonly code: string;
  readonly verdict: "ok" | "warn" | "fail" | "skip";
  readonly transport: string | null;
  readonly interface: string | null;
  readonly message: string;
  readonly fix: string | null;
}

export interface Examination {
  readonly code: number | null;
  readonly verdict: string;
  readonly checks: readonly Check[];
}

/** Kernel's counters of its neighbor table. */
interface TableLoad {
  readonly entries: number;
  readonly refusals: number;
}

/** Runs `lmserv doctor --json` on a host to its end. */
export function examine(host: Host, ...args: readonly string[]): Promise<Examination> {
  return examineWith(host, { entries: 3, refusals: 0 }, ...args);
}

/** The same where the kernel says this of its table: it has one for all namespaces, and others use it too. */
export async function examineWith(
  host: Host,
  { entries, refusals }: TableLoad,
  ...args: readonly string[]
): Promise<Examination> {
  const wrapper = ["sh", "-ec", withTable, "sh", String(entries), String(refusals)] as const;
  const command: Command = [...wrapper, ...lmserv("doctor", "--json", ...args)];
  const { code, stdout, stderr } = await host.run(command);
  if (stdout === "") throw new Error(`the doctor printed nothing: ${stderr}`);
  return { code, ...JSON.parse(stdout) };
}

/** Puts a program `ip` in front of the real one, and keeps the exit code of what runs. */
const withTable = `
entries="$1" refusals="$2"
shift 2
folder="$(mktemp -d)"
trap 'rm -r "$folder"' EXIT
real="$(command -v ip)"
cat >"$folder/ip" <<END
#!/bin/sh
case "\\$*" in
  *ntable*) "$real" "\\$@" | sed "s/entries [0-9]*/entries $entries/; s/table_fulls [0-9]*/table_fulls $refusals/" ;;
  *) exec "$real" "\\$@" ;;
esac
END
chmod +x "$folder/ip"
PATH="$folder:$PATH" "$@"
`;

/** `mdns/port-taken eth0`, of all checks with that verdict. */
export function codesOf({ checks }: Examination, verdict: Check["verdict"]): readonly string[] {
  return checks
    .filter((check) => check.verdict === verdict)
    .map((check) => (check.interface === null ? check.code : `${check.code} ${check.interface}`));
}
