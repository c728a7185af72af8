export {
  generateNodeKey,
  generateNodeKeyPem,
  idOf,
  importNodeKey,
  isPublicKey,
  type NodeKey,
  type SignedMessage,
  verifySignature,
} from "./node-key.ts";
