import { Advertisement, Browser, type Service, tcp } from "dnssd";
import { drive } from "../program.ts";
import { serviceName } from "../protocol.ts";

const type = tcp(serviceName);
const on = { interface: "eth0" };

drive({
  // Sockets are opened by what is started first, and shared.
  open: () => undefined,
  async announce(_, { info, port }) {
    const options = { ...on, name: info, host: info, txt: { info } };
    const advertisement = new Advertisement(type, port, options).start();
    await new Promise((resolve) => advertisement.once("active", resolve));
    return () => advertisement.stop();
  },
  browse(_, tell) {
    new Browser(type, on)
      .on("serviceUp", ({ txt }: Service) => tell({ event: "up", info: txt.info ?? "" }))
      .on("serviceDown", ({ txt }: Service) => tell({ event: "down", info: txt.info ?? "" }))
      .start();
  },
});
