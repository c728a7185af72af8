import type { NetworkInterfaceInfo } from "node:os";
import { infoOf, type Segment, type VirtualMachine } from "../segment.ts";

/** Host of a virtual link, with one interface and both families. */
export class VirtualHost {
  readonly interface = "eth0";
  readonly address: string;
  /** Address without its zone. */
  readonly linkLocal: string;
  /** Machine for a transport. */
  readonly machine: VirtualMachine;
  /** All addresses that it ever had. */
  readonly sources: Set<string>;
  readonly #segment: Segment;
  readonly #addresses: NetworkInterfaceInfo[];
  readonly #others: Record<string, NetworkInterfaceInfo[]> = {};
  #isUp = true;

  constructor(segment: Segment, address: string, linkLocal: string) {
    this.address = address;
    this.linkLocal = linkLocal;
    this.sources = new Set([address, linkLocal]);
    this.#segment = segment;
    this.#addresses = [infoOf(address, 24), infoOf(linkLocal, 64)];
    this.machine = segment.machine(address, { ipv6: linkLocal });
    this.machine.interfaces = () => ({ ...(this.#isUp && { eth0: [...this.#addresses] }), ...this.#others });
  }

  cut(): void {
    this.#isUp = false;
    this.#segment.unplug(this.machine);
  }

  heal(): void {
    this.#isUp = true;
    this.#segment.plug(this.machine);
  }

  addAddress(address: string, prefix = 24): void {
    const at = this.#addresses.findIndex(({ family }) => family === "IPv6");
    this.#addresses.splice(at, 0, infoOf(address, prefix));
    this.sources.add(address);
  }

  removeAddress(address: string): void {
    const at = this.#addresses.findIndex((info) => info.address === address);
    if (at >= 0) this.#addresses.splice(at, 1);
  }

  /** Adds an interface without a link. */
  addInterface(name: string, address: string): void {
    this.#others[name] = [infoOf(address, 24)];
  }
}
