import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "@lmserv/test-netlab";

export const upstreamPort = 8_000;

/** A program that forwards requests to the upstream. */
export interface ProxyProgram {
  readonly name: string;
  readonly port: number;
  /** Command, once its configuration is written into the folder. */
  readonly prepare: (folder: string) => Promise<Command>;
  /** Required file of the program; null for our own. */
  readonly file: string | null;
}

const lmserv = fileURLToPath(new URL("../../../apps/cli/bin/lmserv.mjs", import.meta.url));

const plain = fileURLToPath(import.meta.resolve("@lmserv/bench/gateway/programs/plain"));

/** Ours first, then what Node itself takes, then Debian's, each as plain as a user would set it up for streams. */
const proxies: readonly ProxyProgram[] = [
  {
    name: "lmserv gateway",
    port: 8_740,
    file: null,
    prepare: async () => [process.execPath, lmserv, "gateway", "--interface", "lo"],
  },
  {
    name: "node:http",
    port: 9_000,
    file: null,
    prepare: async () => [process.execPath, plain, "9000", `${upstreamPort}`],
  },
  configured("caddy", "/usr/bin/caddy", 9_001, {
    file: "Caddyfile",
    text: (port) => `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  reverse_proxy 127.0.0.1:${upstreamPort} {
    flush_interval -1
  }
}
`,
    command: (file) => ["/usr/bin/caddy", "run", "--config", file, "--adapter", "caddyfile"],
  }),
  configured("haproxy", "/usr/sbin/haproxy", 9_002, {
    file: "haproxy.cfg",
    text: (port) => `global
  maxconn 4000
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  http-reuse always
  option http-no-delay
frontend in
  bind 127.0.0.1:${port}
  default_backend out
backend out
  server upstream 127.0.0.1:${upstreamPort}
`,
    command: (file) => ["/usr/sbin/haproxy", "-db", "-f", file],
  }),
  configured("nginx", "/usr/sbin/nginx", 9_003, {
    file: "nginx.conf",
    text: (port, folder) => `daemon off;
user root;
pid ${folder}/nginx.pid;
error_log stderr;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${folder};
  proxy_temp_path ${folder};
  fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder};
  scgi_temp_path ${folder};
  upstream model { server 127.0.0.1:${upstreamPort}; keepalive 64; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://model;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 1h;
    }
  }
}
`,
    command: (file, folder) => ["/usr/sbin/nginx", "-p", folder, "-c", file],
  }),
];

interface Configuration {
  readonly file: string;
  readonly text: (port: number, folder: string) => string;
  readonly command: (file: string, folder: string) => Command;
}

function configured(name: string, file: string, port: number, configuration: Configuration): ProxyProgram {
  return {
    ...{ name, file, port },
    async prepare(root) {
      const folder = join(root, name);
      await mkdir(folder, { recursive: true });
      const path = join(folder, configuration.file);
      await writeFile(path, configuration.text(port, folder));
      return configuration.command(path, folder);
    },
  };
}

/** Those that are installed; the others are named on standard error. */
export function installedProxies(): readonly ProxyProgram[] {
  const isThere = ({ file }: ProxyProgram): boolean => file === null || existsSync(file);
  const missing = proxies.filter((proxy) => !isThere(proxy)).map(({ name }) => name);
  if (missing.length > 0) process.stderr.write(`not installed: ${missing.join(", ")}\n`);
  return proxies.filter(isThere);
}
