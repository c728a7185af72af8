export { type FakeService, fakeService, withTtl } from "./fake-service.ts";
export {
  type Asked,
  type Heard,
  headerBits,
  type Message,
  query,
  type Received,
  read,
  response,
} from "./message.ts";
export { type RawPeer, rawPeer, type Tapped } from "./raw-peer.ts";
export { itemsOf, nameIn, nameInData } from "./wire.ts";
