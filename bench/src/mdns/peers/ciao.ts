import { getResponder, type Responder } from "@homebridge/ciao";
import { drive } from "../program.ts";
import { serviceName } from "../protocol.ts";

drive<Responder>({
  // Does not find the interfaces of a container by itself.
  open: () => getResponder({ interface: "eth0" }),
  async announce(responder, { info, port }) {
    const service = responder.createService({ name: info, type: serviceName, port, txt: { info } });
    await service.advertise();
    return () => service.end();
  },
});
