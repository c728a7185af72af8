import { systemClock } from "../../../packages/discovery-core/dist/bundle-transport.js";
import { defaultPorts, fingerprint, identify } from "../../../packages/discovery-fingerprint/dist/index.js";

// identify.mjs HOST [PORT]: what answers there, on the default ports or on that one.

const [host, port] = process.argv.slice(2);
const { signal } = new AbortController();
const found = [];
if (port === undefined) {
  for await (const one of identify({ clock: systemClock, signal, host, ports: defaultPorts }))
    found.push(one);
} else {
  found.push(await fingerprint({ clock: systemClock, signal, host, port: Number(port) }));
}
console.log(JSON.stringify({ found }));
