export type { AuthorityOptions, NodeCa } from "./authorities.ts";
export type { Api, Call } from "./call.ts";
export type { NodeLoad, Reservation } from "./load.ts";
export { type NearFetch, type NearFetchOptions, NoNodeError, nearFetch } from "./near-fetch.ts";
export type { NodeKey } from "./node-keys.ts";
export { type Choice, createPicker, type Picker, type PickerOptions, type Rejection } from "./picker.ts";
export type { PickPolicy } from "./policy.ts";
export type { Candidate } from "./ranking.ts";
export type { Obstacle } from "./suitability.ts";
