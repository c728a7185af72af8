import { canonicalAddress } from "@lmserv/discovery-core/transport";

/**
 * Default addresses of bridges and of guests behind translation. Many hosts have the same, and none can be
 * reached there from another.
 */
const defaults: readonly RegExp[] = [
  /^172\.(1[7-9]|2\d|3[01])\.0\.1$/, // Docker, default-address-pools
  /^10\.88\.0\.1$|^10\.89\.\d+\.1$/, // Podman, default_subnet and default_subnet_pools
  /^192\.168\.122\.1$/, // libvirt, virbr0
  /^10\.0\.3\.1$/, // LXC, lxcbr0
  /^10\.(42|244)\.\d+\.[01]$/, // K3s and Flannel, cni0
  /^192\.168\.56\.1$/, // VirtualBox, host-only network
  /^10\.0\.2\.15$/, // QEMU and VirtualBox, guest behind translation
];

/** True if an address of another host is most likely that of a bridge to its own guests. */
export function isDefaultBridge(address: string): boolean {
  const canonical = canonicalAddress(address);
  return defaults.some((one) => one.test(canonical));
}
