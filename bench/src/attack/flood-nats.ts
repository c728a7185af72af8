import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { jetstream } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { connect } from "@nats-io/transport-node";

/*
 * Fills a fleet's bucket, as a member of the account can: flood-nats.js URL VALUES PER_SECOND MEMBERS [over].
 * Each value is a whole node with a signature that holds, of one of so many members. With `over`, each is put in the place of
 * a value that is there. Prints "done" when all values are there.
 */

interface Member {
  readonly id: string;
  readonly publicKey: string;
  readonly key: KeyObject;
}

const [url = "", values = "", perSecond = "", members = "", over] = process.argv.slice(2);
/** So many are under way at a time. */
const window = 64;

function newMember(): Member {
  const { privateKey: key } = generateKeyPairSync("ed25519");
  // Node 20 may wait for ever where thousands are exported as a JWK.
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  const publicKey = spki.subarray(-32).toString("base64url");
  const digest = createHash("sha256").update(Buffer.from(publicKey, "base64url")).digest("hex");
  return { id: digest.slice(0, 32), publicKey, key };
}

/** A node that is where no other is. */
function announcementOf(
  { id, publicKey, key }: Member,
  number: number,
): { readonly at: string; readonly value: string } {
  const node = createHash("sha256").update(`${id} ${number}`).digest("hex").slice(0, 32);
  const text = JSON.stringify({
    kind: "alive",
    ...{ cluster: "default", id, epoch: 1, seq: number + 1, ttlMs: 30_000, signedMs: Date.now() },
    ...{
      instance: id.slice(0, 16),
      urls: [],
      nodes: [{ id: node, port: 1 + (number % 65_535), info: "flood" }],
    },
    addresses: [`10.77.${1 + (number % 200)}.${1 + (Math.floor(number / 200) % 250)}`],
    machine: { stack: null, macs: [], installation: null },
  });
  const signature = sign(null, Buffer.from(text), key).toString("base64url");
  const slot = createHash("sha256").update(node).digest("hex").slice(0, 32);
  return { at: `n.${id}.${slot}`, value: `${text}\n${publicKey}.${signature}` };
}

const connection = await connect({ servers: url });
const bucket = await new Kvm(jetstream(connection)).open("lmserv_default");
const others: string[] = [];
if (over === "over") for await (const key of await bucket.keys("n.>")) others.push(key);
const signers = Array.from({ length: Number(members) }, newMember);
const underWay = new Set<Promise<unknown>>();
const begin = performance.now();
for (let number = 0; number < Number(values); number += 1) {
  const signer = signers[number % signers.length];
  if (!signer) break;
  const { at, value } = announcementOf(signer, number);
  const put = bucket.put(others[number % others.length] ?? at, value).finally(() => underWay.delete(put));
  underWay.add(put);
  if (underWay.size >= window) await Promise.race(underWay);
  const aheadMs = begin + ((number + 1) * 1_000) / Number(perSecond) - performance.now();
  if (aheadMs > 5) await sleep(aheadMs);
}
await Promise.all(underWay);
await connection.close();
console.log("done");
