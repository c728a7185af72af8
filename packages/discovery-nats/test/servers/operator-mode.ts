import { nkeys } from "@nats-io/transport-node";

type Key = ReturnType<typeof nkeys.createUser>;

/**
 * Configuration of a server that accepts one operator's JWTs, and a credentials file of a user with
 * JetStream.
 */
export function operatorMode(): { readonly config: string; readonly credentials: string } {
  const [operator, account, system, user] = [
    nkeys.createOperator(),
    nkeys.createAccount(),
    nkeys.createAccount(),
    nkeys.createUser(),
  ];
  const unlimited = {
    subs: -1,
    data: -1,
    payload: -1,
    imports: -1,
    exports: -1,
    wildcards: true,
    conn: -1,
    leaf: -1,
  };
  const accountClaims = (jetstream: object) => ({
    limits: { ...unlimited, ...jetstream },
    default_permissions: { pub: {}, sub: {} },
  });
  const accountJwt = sign(
    operator,
    account,
    "account",
    accountClaims({ mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 }),
  );
  const systemJwt = sign(operator, system, "account", accountClaims({}));
  const userJwt = sign(account, user, "user", { pub: {}, sub: {}, subs: -1, data: -1, payload: -1 });
  const operatorJwt = sign(operator, operator, "operator", { system_account: system.getPublicKey() });
  const config = [
    `operator: ${operatorJwt}`,
    `system_account: ${system.getPublicKey()}`,
    "resolver: MEMORY",
    `resolver_preload: { ${account.getPublicKey()}: ${accountJwt}, ${system.getPublicKey()}: ${systemJwt} }`,
  ].join("\n");
  const seed = new TextDecoder().decode(user.getSeed());
  const credentials = [
    "-----BEGIN NATS USER JWT-----",
    userJwt,
    "------END NATS USER JWT------",
    "",
    "-----BEGIN USER NKEY SEED-----",
    seed,
    "------END USER NKEY SEED------",
    "",
  ].join("\n");
  return { config, credentials };
}

function sign(issuer: Key, subject: Key, type: string, claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const head = part({ typ: "JWT", alg: "ed25519-nkey" });
  const body = part({
    jti: subject.getPublicKey(),
    iat: Math.floor(Date.now() / 1_000),
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name: type,
    nats: { ...claims, type, version: 2 },
  });
  const signature = issuer.sign(new TextEncoder().encode(`${head}.${body}`));
  return `${head}.${body}.${Buffer.from(signature).toString("base64url")}`;
}
