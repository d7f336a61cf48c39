import assert from "node:assert/strict";
import { isAdministrator, may } from "../../../lib/access/rights.ts";
import { ContractError } from "../../../lib/contract/mod.ts";
import {
  clientStatement,
  MOST_RENEWALS,
  PEER_TOKEN,
  serverStatement,
} from "../../../lib/host/link_protocol.ts";
import { Store } from "../../store/store.ts";
import { TestClock } from "../../testing.ts";
import { HOST_MIGRATIONS } from "../records.ts";
import { isRenewalOf, isSignedBy, LinkIdentity } from "./identity.ts";
import { Secrets } from "../../sealing/secrets.ts";
import { PeerRecords } from "./peer_records.ts";
import { Peers } from "./peers.ts";
import { CALLER_HEADER, callerHeader } from "./remote_caller.ts";
import { newSecret } from "../../access/secret.ts";

const CERTIFICATE = "ab".repeat(32), OTHER_CERTIFICATE = "cd".repeat(32);

/** Two KVM Managers: the one that is asked, and the key of the one that asks. */
async function two() {
  const folders = [await Deno.makeTempDir(), await Deno.makeTempDir()] as const;
  const clock = new TestClock(),
    store = new Store(folders[0], undefined, [{ name: "host", migrations: HOST_MIGRATIONS }]);
  const peers = new Peers(
    new PeerRecords(store),
    new LinkIdentity(folders[0], new Secrets(folders[0]).readKey()),
    clock,
  );
  const near = await new LinkIdentity(folders[1], new Secrets(folders[1]).readKey()).ready();
  /** The proof that the peer sends to be let in. */
  const proof = async (certificate = CERTIFICATE) => {
    const { publicKey: server, challenge } = await peers.hello(newSecret(), certificate);
    const signature = near.sign(clientStatement(server, certificate, challenge));
    return { publicKey: near.publicKey, challenge, signature, name: "kvm1", version: "1" };
  };
  return {
    clock,
    peers,
    proof,
    near,
    folder: folders[0],
    async [Symbol.asyncDispose]() {
      store.close();
      for (const folder of folders) await Deno.remove(folder, { recursive: true });
    },
  };
}

const refuses = (call: Promise<unknown> | (() => unknown), code: string) => {
  const fits = (error: unknown) => error instanceof ContractError && error.code === code;
  return typeof call === "function" ? assert.throws(call, fits) : assert.rejects(call, fits);
};
const headersOf = (caller?: string) => new Headers(caller === undefined ? {} : { [CALLER_HEADER]: caller });

Deno.test("hello() signs the certificate that serves, for this challenge alone", async () => {
  await using far = await two();
  const challenge = newSecret(), answer = await far.peers.hello(challenge, CERTIFICATE);
  const isSigned = (certificate: string, of: string) =>
    isSignedBy(answer.publicKey, serverStatement(certificate, of), answer.signature);
  assert.ok(isSigned(CERTIFICATE, challenge));
  assert.ok(!isSigned(OTHER_CERTIFICATE, challenge));
  assert.ok(!isSigned(CERTIFICATE, newSecret()));
});

Deno.test("the key is kept in a file that no other user reads, and is the same after a restart", async () => {
  await using far = await two();
  const { publicKey } = await far.peers.identity.ready();
  const { mode } = await Deno.stat(`${far.folder}/link.key`);
  assert.equal(mode! & 0o777, 0o600);
  assert.equal(
    (await new LinkIdentity(far.folder, new Secrets(far.folder).readKey()).ready()).publicKey,
    publicKey,
  );
});

Deno.test("join() takes an invitation once, within its time, and with a proof for this connection", async () => {
  await using far = await two();
  const { peers, clock, proof } = far;
  const secret = peers.invitations.make("operator", "ann", 60_000);
  await refuses(peers.join({ ...await proof(OTHER_CERTIFICATE), secret }, CERTIFICATE), "LinkRefused");
  const { publicKey: _own, ...rest } = await proof();
  const { publicKey } = await peers.identity.ready();
  await refuses(peers.join({ ...rest, publicKey, secret }, CERTIFICATE), "LinkRefused");
  const once = await proof();
  const { peer } = await peers.join({ ...once, secret }, CERTIFICATE);
  assert.deepEqual([peer.role, peer.invitedBy, peer.name], ["operator", "ann", "kvm1"]);
  await refuses(peers.open(once, CERTIFICATE), "LinkRefused"); // its challenge was used
  await refuses(peers.join({ ...await proof(), secret }, CERTIFICATE), "InvitationRefused");
  const late = peers.invitations.make("operator", "ann", 60_000);
  await clock.advance(60_000);
  await refuses(peers.join({ ...await proof(), secret: late }, CERTIFICATE), "InvitationRefused");
});

Deno.test("principal() is whom the other one calls for, with at most the role of the link", async () => {
  await using far = await two();
  const { peers, proof } = far;
  const { secret, peer } = await peers.join(
    { ...await proof(), secret: peers.invitations.make("viewer", "ann", 60_000) },
    CERTIFICATE,
  );
  const about = { door: "api", address: "10.0.0.1" } as const;
  const root = callerHeader({ name: "root", rights: ["all"] });
  const principal = peers.principal(PEER_TOKEN + secret, headersOf(root), about);
  assert.equal(principal.name, "root@kvm1");
  assert.ok(!isAdministrator(principal.rights));
  assert.ok(may(principal.rights, "vms.view", "everything"));
  assert.ok(!may(principal.rights, "vms.operate", "everything"));
  const own = peers.principal(PEER_TOKEN + secret, headersOf(), about);
  assert.ok(may(own.rights, "vms.view", "everything"));
  refuses(() => peers.principal(PEER_TOKEN + newSecret(), headersOf(root), about), "TokenInvalid");

  peers.revoke(peer.id);
  assert.ok(principal.ended.aborted);
  refuses(() => peers.principal(PEER_TOKEN + secret, headersOf(root), about), "TokenInvalid");
  await refuses(peers.open(await proof(), CERTIFICATE), "LinkRefused");
  assert.equal(peers.linkedUser(peer.id, root), undefined);
});

Deno.test("a session ends with its time; a peer that is invited again has the new role alone", async () => {
  await using far = await two();
  const { peers, proof, clock } = far;
  const join = async (role: "viewer" | "administrator") =>
    await peers.join({ ...await proof(), secret: peers.invitations.make(role, "ann", 60_000) }, CERTIFICATE);
  const about = { door: "api", address: "" } as const;
  const first = await join("administrator");
  const second = await join("viewer");
  refuses(() => peers.principal(PEER_TOKEN + first.secret, headersOf(), about), "TokenInvalid");
  assert.equal(peers.records.all().length, 1);
  assert.ok(!isAdministrator(peers.principal(PEER_TOKEN + second.secret, headersOf(), about).rights));
  await clock.advance(second.expiresInSeconds * 1000);
  refuses(() => peers.principal(PEER_TOKEN + second.secret, headersOf(), about), "TokenInvalid");
  assert.notEqual((await peers.open(await proof(), CERTIFICATE)).secret, second.secret);
});

Deno.test("a renewed key has the place of the one before, if that one signed it", async () => {
  await using far = await two();
  const { peers, proof, near } = far;
  const secret = peers.invitations.make("operator", "ann", 60_000);
  const { peer } = await peers.join({ ...await proof(), secret }, CERTIFICATE);
  const stolen = near.publicKey;
  const first = await near.rotate(), second = await near.rotate();
  assert.deepEqual([near.publicKey, near.renewals.length], [second, 2]);
  const renewals = [...near.renewals];
  assert.ok(isRenewalOf(stolen, second, renewals) && isRenewalOf(first, second, renewals));
  assert.ok(!isRenewalOf(second, stolen, renewals) && !isRenewalOf(newSecret(), second, renewals));
  const forged = renewals.map((each) => ({ ...each, signature: renewals[1]!.signature }));
  for (const wrong of [undefined, renewals.slice(1), forged]) {
    await refuses(
      peers.open({ ...await proof(), ...(wrong && { renewals: wrong }) }, CERTIFICATE),
      "LinkRefused",
    );
  }
  await peers.open({ ...await proof(), renewals }, CERTIFICATE);
  assert.deepEqual(peers.records.all(), [{ ...peer, publicKey: second }]);
  await peers.open(await proof(), CERTIFICATE);
});

Deno.test("a renewed key, and what leads to it, are the same after a restart", async () => {
  await using far = await two();
  const { identity } = far.peers, to = await identity.rotate();
  const again = await new LinkIdentity(far.folder, new Secrets(far.folder).readKey()).ready();
  assert.deepEqual([again.publicKey, again.renewals], [to, identity.renewals]);
  const names = (await Array.fromAsync(Deno.readDir(far.folder))).map(({ name }) => name);
  assert.deepEqual(names.filter((name) => name.startsWith("link")).toSorted(), [
    "link-renewals.json",
    "link.key",
  ]);
  for (let count = 0; count < MOST_RENEWALS; count++) await again.rotate();
  assert.equal(again.renewals.length, MOST_RENEWALS);
});

Deno.test("a key of small order signs nothing: its signatures are made without a private key", () => {
  const zeros = (bytes: number) =>
    new Uint8Array(bytes).toBase64({ alphabet: "base64url", omitPadding: true });
  const one = Uint8Array.from({ length: 32 }, (_, at) => at === 0 ? 1 : at === 31 ? 0x80 : 0)
    .toBase64({ alphabet: "base64url", omitPadding: true });
  for (const key of [zeros(32), one]) assert.ok(!isSignedBy(key, new TextEncoder().encode("x"), zeros(64)));
});
