export { addressBlock } from "./address-block.ts";
export { isDefaultBridge } from "./bridge-address.ts";
export { type ConnectionLimits, ConnectionSlots } from "./connection-slots.ts";
export { isHostAddress } from "./host-address.ts";
export { HostBudget, type HostBudgetOptions } from "./host-budget.ts";
export { hostNames, isOwnHost, parseHostHeader } from "./host-header.ts";
export { type InterfaceKind, type KindEvidence, kindByName } from "./interface-kind.ts";
export { type Listener, readListeners } from "./listener.ts";
export { isSameMachine, isSameStack, type MachineMark, maxMacs, unknownMachine } from "./machine.ts";
export { thisMachine } from "./machine-facts.ts";
export { isNetworkOrBroadcast, type Network, network, networkContains } from "./network.ts";
export { ownAddresses } from "./own-addresses.ts";
export { readSocketsBelow } from "./process-sockets.ts";
export { rankAddresses, type Vantage } from "./reach.ts";
export { isPrivate, isPublic, isUnspecified } from "./scope.ts";
export type { LinkTable, LinkTraits } from "./sysfs.ts";
export {
  type InterfaceAddress,
  isInterface,
  isNobodysNear,
  isOnLink,
  isOwnAddress,
  kindOfSubnet,
  type ListedInterfaces,
  listInterfaces,
  readSystem,
  type System,
  type SystemInterface,
  type SystemSources,
  subnetOf,
  systemOf,
} from "./system.ts";
