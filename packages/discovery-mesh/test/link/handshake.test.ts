import { describe, expect, it } from "vitest";
import { generateKey, parseKeys } from "../../src/link/cluster-key.ts";
import {
  type Admission,
  type Channel,
  dialerHandshake,
  type Handshake,
  listenerHandshake,
} from "../../src/link/handshake.ts";
import type { Party } from "../../src/link/handshake-hello.ts";
import { keyText, party } from "./site.ts";

const plain: Channel = { binding: new Uint8Array(), remoteAddress: "10.0.0.7" };

/** Lets the two talk, whatever stands between them; the first refusal ends it. */
function meet(
  listener: Party,
  dialer: Party,
  between: { channels?: readonly [Channel, Channel]; onWire?: (text: string) => string } = {},
) {
  const [listenerChannel, dialerChannel] = between.channels ?? [plain, plain];
  const onWire = between.onWire ?? ((text) => text);
  const wire: string[] = [];
  const carry = (text: string | null): string => {
    wire.push(onWire(text ?? ""));
    return wire.at(-1) ?? "";
  };
  const left = listenerHandshake(listener, listenerChannel);
  const right = dialerHandshake(dialer, dialerChannel);
  const play = (): readonly [Admission, Admission] => {
    right.next();
    const opening = right.next(carry(words(left.next())));
    const introduction = left.next(carry(words(opening)));
    const answer = right.next(carry(words(introduction)));
    const admitted = admission(left.next(carry(words(answer))));
    return [admitted, admission(right.next(carry(admitted.lastWord)))];
  };
  return { play, wire };
}

function words({ done, value }: ReturnType<Handshake["next"]>): string {
  if (done || value === null) throw new TypeError("something should be said");
  return value;
}

function admission({ done, value }: ReturnType<Handshake["next"]>): Admission {
  if (!done) throw new TypeError("it should be over");
  return value;
}

const withReason = (reason: string): unknown => expect.objectContaining({ reason });

describe("a handshake", () => {
  it("tells each side who the other is, as its key has signed", () => {
    const listener = party({ epoch: 7, advertise: ["ws://10.0.0.1:7946"] });
    const dialer = party({ role: "observer" });
    const [atListener, atDialer] = meet(listener, dialer).play();
    expect(atDialer).toMatchObject({
      peer: { id: listener.nodeKey.id, epoch: 7, role: "member", advertise: ["ws://10.0.0.1:7946"] },
      observedAddress: "10.0.0.7",
      keyIndex: 0,
    });
    expect(atListener.peer).toMatchObject({ id: dialer.nodeKey.id, role: "observer" });
  });

  it("refuses another key, and the neighbour's cluster with the same one", () => {
    const other = party({ clusterKeys: parseKeys(generateKey()) });
    expect(meet(party(), other).play).toThrow(withReason("wrong-key"));
    expect(meet(other, party()).play).toThrow(withReason("wrong-key"));
    expect(meet(party(), party({ cluster: "work" })).play).toThrow(withReason("other-cluster"));
  });

  it("refuses who has no key, and lets those in who all have none", () => {
    const keyless = { clusterKeys: [] };
    expect(meet(party(), party(keyless)).play).toThrow(withReason("wrong-key"));
    expect(meet(party(keyless), party()).play).toThrow(withReason("wrong-key"));
    expect(meet(party(keyless), party(keyless)).play()).toHaveLength(2);
  });

  it("lets a key be replaced without a moment in which members refuse each other", () => {
    const next = generateKey();
    const [old, both, swapped, only] = [keyText, `${keyText}\n${next}`, `${next}\n${keyText}`, next].map(
      (text) => party({ clusterKeys: parseKeys(text) }),
    );
    if (!old || !both || !swapped || !only) throw new TypeError("four there are");
    for (const [a, b] of [
      [old, both],
      [both, swapped],
      [swapped, only],
    ] as const) {
      expect(meet(a, b).play()).toHaveLength(2);
      expect(meet(b, a).play()).toHaveLength(2);
    }
    expect(meet(old, swapped).play).toThrow(withReason("wrong-key"));
    expect(meet(both, swapped).play()[0].keyIndex).toBe(1);
  });

  it("says no name, no id and no address to one who has no key", () => {
    const listener = party({ advertise: ["ws://10.0.0.1:7946"] });
    const dialer = party({ advertise: ["ws://10.0.0.2:7946"], clusterKeys: parseKeys(generateKey()) });
    const { play, wire } = meet(listener, dialer);
    expect(play).toThrow(withReason("wrong-key"));
    expect(wire).toHaveLength(2);
    for (const side of [listener, dialer]) {
      for (const secret of [
        side.nodeKey.id,
        side.nodeKey.publicKey,
        side.cluster,
        side.instance,
        "10.0.0.",
      ]) {
        expect(wire.join()).not.toContain(secret);
      }
    }
  });

  it("refuses words that were good in another handshake", () => {
    const [listener, dialer] = [party(), party()];
    const recorded = meet(listener, dialer);
    recorded.play();
    const [, opening = "", , answer = ""] = recorded.wire;
    const again = listenerHandshake(listener, plain);
    again.next();
    expect(() => again.next(opening)).toThrow(withReason("wrong-key"));

    // One who has the key, but not the identity that it recorded.
    const thief = party();
    expect(
      meet(listener, thief, { onWire: (text) => (text.includes(thief.nodeKey.id) ? answer : text) }).play,
    ).toThrow(withReason("wrong-key"));
  });

  it("refuses its own words", () => {
    const listener = listenerHandshake(party(), plain);
    const nonce = words(listener.next());
    const dialer = dialerHandshake(party(), plain);
    dialer.next();
    const { proof } = JSON.parse(words(dialer.next(nonce)));
    // What a dialer said comes back to it as if a listener had.
    const welcome = JSON.stringify({ introduction: "{}", proof, signature: "" });
    expect(() => dialer.next(welcome)).toThrow(withReason("wrong-key"));
  });

  it("refuses both ends when somebody between them ends TLS, on either side or on one only", () => {
    const bound = (binding: string): Channel => ({ ...plain, binding: Buffer.from(binding) });
    const channels = [
      [bound("to the listener"), bound("to the dialer")],
      [plain, bound("to the dialer")],
      [bound("to the listener"), plain],
    ] as const;
    for (const pair of channels) {
      expect(meet(party(), party(), { channels: pair }).play).toThrow(withReason("relayed"));
    }
    const same = bound("the same");
    expect(meet(party(), party(), { channels: [same, same] }).play()).toHaveLength(2);
  });

  it("refuses an identity that is not that of the key, or not signed with it", () => {
    const [dialer, victim] = [party(), party()];
    const claims = { ...dialer, nodeKey: { ...dialer.nodeKey, id: victim.nodeKey.id } };
    expect(meet(party(), claims).play).toThrow(withReason("identity"));
    const forges = { ...dialer, nodeKey: { ...victim.nodeKey, sign: dialer.nodeKey.sign } };
    expect(meet(party(), forges).play).toThrow(withReason("identity"));
    expect(meet(forges, party()).play).toThrow(withReason("identity"));
  });

  it("notices that it has reached itself, and not when it is a copy", () => {
    const self = party();
    expect(meet(self, self).play).toThrow(withReason("self"));
    expect(meet(self, { ...self, instance: "instance-copy" }).play()).toHaveLength(2);
  });

  it.each(["", "null", "[]", "{}", '{"nonce":7}', '{"nonce":"short"}', "{", '{"nonce":{"toString":1}}', "7"])(
    "refuses %j at every step",
    (text) => {
      for (let step = 0; step < 4; step += 1) {
        let at = 0;
        const onWire = (said: string): string => {
          at += 1;
          return at === step + 1 ? text : said;
        };
        expect(meet(party(), party(), { onWire }).play).toThrow(withReason("malformed"));
      }
    },
  );

  it("passes on only URLs that can be dialled", () => {
    const advertise = [
      "http://10.0.0.1",
      "ws://10.0.0.1:7946",
      "ws://u:p@10.0.0.1",
      "wss://[fe80::1]:9",
      "ws://h/path",
    ];
    const [, atDialer] = meet(party({ advertise }), party()).play();
    expect(atDialer.peer.advertise).toEqual(["ws://10.0.0.1:7946", "wss://[fe80::1]:9"]);
  });
});
