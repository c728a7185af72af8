export { type NearFetch, type NearFetchOptions, NoNodeError, nearFetch } from "./fetch/near-fetch.ts";
export type { AuthorityOptions, NodeCa } from "./forwarding/authorities.ts";
export type { Api, Call } from "./forwarding/call.ts";
export type { NodeLoad, Reservation } from "./picker/load.ts";
export type { NodeKey } from "./picker/node-keys.ts";
export {
  type Choice,
  createPicker,
  type Picker,
  type PickerOptions,
  type Rejection,
} from "./picker/picker.ts";
export type { PickPolicy } from "./picker/policy.ts";
export type { Candidate } from "./picker/ranking.ts";
export type { Obstacle } from "./picker/suitability.ts";
