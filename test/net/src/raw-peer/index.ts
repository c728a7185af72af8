export { type FakeService, fakeService, withTtl } from "./fake-service.ts";
export { type Asked, headerBits, type Message, query, type Received, response } from "./message.ts";
export { type Heard, type RawPeer, rawPeer } from "./raw-peer.ts";
export { itemsOf, nameIn, nameInData } from "./wire.ts";
