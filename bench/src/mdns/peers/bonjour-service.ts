import { Bonjour, type ServiceConfig } from "bonjour-service";
import { drive, ownAddress } from "../program.ts";
import { serviceName } from "../protocol.ts";

/** Handed on to multicast-dns, which needs them on a LAN without a default route; missing in the types. */
const socketOptions = { interface: ownAddress(), bind: "0.0.0.0" } as Partial<ServiceConfig>;

drive<Bonjour>({
  open: () => new Bonjour(socketOptions),
  async announce(bonjour, { info, port }) {
    const service = bonjour.publish({
      name: info,
      type: serviceName,
      port,
      // The default is the bare host name, which is not in `.local`.
      host: `${info}.local`,
      txt: { info },
    });
    await new Promise((resolve) => service.once("up", resolve));
    return () => service.stop();
  },
  browse(bonjour, tell) {
    const browser = bonjour.find({ type: serviceName });
    browser.on("up", ({ txt }) => tell({ event: "up", info: txt.info }));
    browser.on("down", ({ txt }) => tell({ event: "down", info: txt.info }));
  },
});
