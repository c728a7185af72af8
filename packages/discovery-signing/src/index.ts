export type { Identity, NodeKey } from "@lmserv/discovery-core/transport";
export { createFile, readIfThere, replaceFile } from "./durable-file.ts";
export { fittedNodes } from "./fitted-nodes.ts";
export {
  copiedKeyAdvice,
  ephemeralIdentity,
  type IdentityOptions,
  openIdentity,
} from "./identity.ts";
export {
  ed25519,
  generateNodeKey,
  generateNodeKeyPem,
  idOf,
  importNodeKey,
  type SignatureScheme,
  type SignedMessage,
  verifySignature,
} from "./node-key.ts";
export { isPublicKey } from "./public-keys.ts";
export {
  type AliveRecord,
  assertClusterName,
  compareVersions,
  isKeyId,
  isMemberUrl,
  type LeftRecord,
  type MemberRecord,
  maxRecordBytes,
  readRecord,
  type Version,
} from "./record.ts";
export { type Renewal, readRenewal, type SignedRenewal, signRenewal } from "./renewal.ts";
export { seenNode } from "./seen-node.ts";
export { ShapeError } from "./shape.ts";
export {
  type Rejection,
  type SignedRecord,
  signRecord,
  type Verification,
  type VerifyOptions,
  verifyRecord,
} from "./signed-record.ts";
export { stateDirectory } from "./state-directory.ts";
