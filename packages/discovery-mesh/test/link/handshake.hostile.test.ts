import { hostileText, readsHostile } from "@lmserv/test-hostile";
import fc from "fast-check";
import { dialerHandshake, listenerHandshake } from "../../src/link/handshake.ts";
import { readHello } from "../../src/link/handshake-hello.ts";
import { Refusal } from "../../src/link/refusal.ts";
import { lengthPrefixed, plainIdentity, plainProofs } from "./plain-member.ts";
import { keyText, party } from "./site.ts";

const channel = { binding: new Uint8Array(), remoteAddress: "10.0.0.7" };
const cluster = "home";
const nonce = "n".repeat(43);
const { sign, ...author } = plainIdentity();
const introduction = JSON.stringify({
  ...{ id: author.id, publicKey: author.publicKey, epoch: 1, instance: "plain-member", role: "member" },
  ...{ advertise: ["ws://192.0.2.7:7946", "wss://host.example/"], observed: "127.0.0.1" },
});
/** A member with the key: its words hold, but for what is hostile in them. */
function words(text: string, stage: string, theirNonce: string, theirs: readonly string[]): string {
  const proof = plainProofs(keyText.trim(), cluster, nonce, theirNonce)(stage, [...theirs, text]);
  const fields = ["lmserv-mesh/1", stage, "channel", nonce, theirNonce, cluster, "", ...theirs, text];
  const signature = sign(lengthPrefixed(["signature", ...fields]));
  return JSON.stringify({ introduction: text, proof, signature });
}

const opening = JSON.stringify({ nonce, proof: { key: nonce, cluster: nonce, channel: nonce } });
const own = party();

readsHostile("words of the mesh's handshake", {
  inputs: fc.record({
    said: hostileText(
      fc.constantFrom(opening, JSON.stringify({ nonce }), words(introduction, "", nonce, [])),
    ),
    introduction: hostileText(fc.constant(introduction)),
  }),
  maxKept: 0,
  open: () => {
    // What is not hostile is let in, so that what is gets as far.
    insider(introduction);
    return { kept: () => 0, read };
  },
});

function read(input: { readonly said: string; readonly introduction: string }): void {
  refused(() => {
    const listener = listenerHandshake(own, channel);
    listener.next();
    listener.next(input.said);
  });
  refused(() => {
    const dialer = dialerHandshake(own, channel);
    dialer.next();
    dialer.next(JSON.stringify({ nonce }));
    dialer.next(input.said);
  });
  refused(() => insider(input.introduction));
  refused(() => readHello(input.introduction));
}

/** Goes as far as the last message, in which whoever has the key says what it likes. */
function insider(hostile: string): void {
  const listener = listenerHandshake(own, channel);
  const { nonce: theirNonce } = JSON.parse(String(listener.next().value));
  const proof = plainProofs(keyText.trim(), cluster, nonce, theirNonce)("dialer opens", []);
  const { introduction: theirs } = JSON.parse(String(listener.next(JSON.stringify({ nonce, proof })).value));
  listener.next(words(hostile, "dialer introduces itself", theirNonce, [theirs]));
}

function refused(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}
