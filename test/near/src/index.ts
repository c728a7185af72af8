export { certificate } from "./certificate.ts";
export {
  json,
  type ModelServer,
  modelServer,
  type SeenRequest,
  say,
  sayWord,
  type Tls,
} from "./model-server.ts";
export { type ListedNode, type NearList, nearList } from "./near-list.ts";
export { steady } from "./steady.ts";
