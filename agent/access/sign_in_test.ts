import assert from "node:assert/strict";
import { TestClock } from "../testing.ts";
import type { ContractError } from "../../lib/contract/errors.ts";
import { nobody, type Principal } from "../access.ts";
import { setLogLevel } from "../log.ts";
import { Store } from "../store/store.ts";
import { SESSION_MS } from "./credentials.ts";
import { HASH_COST, PasswordHashes } from "./hashing.ts";
import { Access } from "./mod.ts";
import { SETUP_MS } from "./setup.ts";
import type { Grant, Role, SignInStep } from "../../lib/contract/mod.ts";
import type { HostAccount, HostAccountsAsked, Standing } from "./host_accounts.ts";
import { CHALLENGE_MS } from "./sign_in.ts";
import { codeAt, newTotpSecret, stepOf } from "./totp.ts";
import { secretHash } from "./secret.ts";
import { isAdministrator } from "../../lib/access/rights.ts";
import { delegateFor } from "./delegation.ts";

setLogLevel("error");
const PASSWORD = "correct horse battery";
const MINUTE = 60_000;
/** Cheap hashes: these tests do not depend on the cost of a guess. `PasswordHashes` has a test of its own. */
const CHEAP = new PasswordHashes({ ...HASH_COST, N: 2 ** 4 });

/** An access of its own, with a clock that the test moves, and a user with one-time codes. */
async function withAccess(run: (world: Awaited<ReturnType<typeof makeWorld>>) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const world = await makeWorld(folder);
  try {
    await run(world);
  } finally {
    world.store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

const standingAs = (role: Role, uid = 1000): HostAccount => ({
  uid,
  grants: [{ role, on: { kind: "everything" } }],
});

/** A host that knows one account, whose standing the test changes. */
class OneAccount implements HostAccountsAsked {
  standingNow: Standing = standingAs("administrator");
  asked = 0;

  check(_user: string, password: string): Promise<HostAccount | undefined> {
    const now = this.standingNow;
    return Promise.resolve(password === PASSWORD && typeof now !== "string" ? now : undefined);
  }

  standing(): Promise<Standing> {
    this.asked++;
    return Promise.resolve(this.standingNow);
  }
}

async function makeWorld(folder: string) {
  const clock = new TestClock(1_700_000_000_000);
  const store = new Store(folder);
  const access = new Access(store, false, clock, null, CHEAP);
  const user = await access.accounts.create({ name: "ann", password: PASSWORD, grants: [] });
  const secret = newTotpSecret();
  const recovery = ["aaaabbbbccccdddd", "eeeeffffgggghhhh"].map(secretHash);
  const withCodes = () =>
    access.accounts.save({ ...access.accounts.user(user.id), totp: { secret, lastStep: -1 }, recovery });
  const sessions: (string | null)[] = [];
  const by: Principal = nobody("page", {
    address: "192.0.2.1",
    client: "test",
    keepSession: (each) => void sessions.push(each),
  });
  return {
    access,
    store,
    user,
    secret,
    withCodes,
    sessions,
    by,
    code: (steps = 0) => codeAt(secret, stepOf(clock.now()) + steps),
    /** Time goes by: on the wall, and since the boot. */
    pass: (ms: number, wall = ms) => clock.advance(ms, wall),
    reboot: (wall: number) => clock.reboot(wall),
    again: () => {
      store.close();
      const other = new Store(folder);
      return { store: other, access: new Access(other, false, clock, null, CHEAP) };
    },
    /** The same accounts, with those of a host. */
    withHost: (host: HostAccountsAsked | null) => new Access(store, false, clock, host, CHEAP),
    holder: (secret: string | null | undefined) => access.credentials.session(secret ?? "", "192.0.2.1"),
  };
}

const fails = async (code: string, run: () => unknown) => {
  try {
    await run();
  } catch (error) {
    assert.equal((error as ContractError).code, code, String(error));
    return;
  }
  assert.fail(`${code} was expected`);
};
const challengeOf = (step: SignInStep): string => {
  assert.equal(step.state, "second-factor");
  return step.challenge!;
};

Deno.test("SignIn: a password alone opens nothing where there is a second factor, and no step can be skipped", () =>
  withAccess(async ({ access: { signIn }, by, code, sessions, withCodes, holder }) => {
    withCodes();
    await fails("SignInExpired", () => signIn.code("", code(), by));
    await fails("SignInExpired", () => signIn.code("x".repeat(43), code(), by));
    await fails("SignInFailed", () => signIn.password("ann", "wrong wrong wrong", by));
    await fails("SignInFailed", () => signIn.password("nobody-here", PASSWORD, by));
    const challenge = challengeOf(await signIn.password("ann", PASSWORD, by));
    assert.deepEqual(sessions, []);
    assert.equal(holder(challenge), undefined, "a challenge is no session");
    await fails("SignInFailed", () => signIn.code(challenge, "000000", by));
    assert.equal(signIn.code(challenge, code(), by).state, "signed-in");
    assert.equal(sessions.length, 1);
    assert.equal(holder(sessions[0])?.user.name, "ann");
    await fails("SignInExpired", () => signIn.code(challenge, code(1), by));
  }));

Deno.test("SignIn: a code or recovery code is good once, a challenge for five minutes and five tries (threat 10)", () =>
  withAccess(async ({ access, by, code, pass, withCodes }) => {
    const { signIn } = access;
    withCodes();
    const begin = async () => challengeOf(await signIn.password("ann", PASSWORD, by));
    const used = code();
    signIn.code(await begin(), used, by);
    await fails("SignInFailed", async () => signIn.code(await begin(), used, by));
    signIn.code(await begin(), "AAAA-BBBB-cccc dddd", by);
    await fails("SignInFailed", async () => signIn.code(await begin(), "aaaabbbbccccdddd", by));
    assert.equal(access.accounts.named("ann")?.recovery.length, 1);
    const late = await begin();
    await pass(CHALLENGE_MS);
    await fails("SignInExpired", () => signIn.code(late, code(), by));
    await pass(3600_000);
    const tried = await begin();
    for (let count = 0; count < 4; count++) {
      await fails("SignInFailed", () => signIn.code(tried, "000000", by));
    }
    await fails("SignInFailed", () => signIn.code(tried, "000000", by));
    await fails("SignInExpired", () => signIn.code(tried, code(), by));
  }));

Deno.test("SignIn: what changes between the steps ends the sign-in", () =>
  withAccess(async ({ access, user, by, code, withCodes }) => {
    const { signIn, accounts } = access;
    withCodes();
    const challenge = challengeOf(await signIn.password("ann", PASSWORD, by));
    await accounts.update({ userId: user.id, password: "another horse battery" });
    await fails("SignInExpired", () => signIn.code(challenge, code(), by));
    const second = challengeOf(await signIn.password("ann", "another horse battery", by));
    await accounts.update({ userId: user.id, disabled: true });
    await fails("SignInExpired", () => signIn.code(second, code(), by));
    await fails("SignInFailed", () => signIn.password("ann", "another horse battery", by));
  }));

Deno.test("SignIn slows guessing down by account, also of names that do not exist, and forgives", () =>
  withAccess(async ({ access: { signIn }, by, pass }) => {
    for (const name of ["ann", "ghost"]) {
      for (let count = 0; count < 5; count++) {
        await fails("SignInFailed", () => signIn.password(name, `wrong wrong ${count}`, by));
      }
      await fails("TooManyAttempts", () => signIn.password(name, PASSWORD, by));
    }
    await pass(1000);
    assert.equal((await signIn.password("ann", PASSWORD, by)).state, "signed-in");
    await fails("SignInFailed", () => signIn.password("ann", "wrong wrong again", by));
    for (let count = 0; count < 40; count++) signIn.attempts.failedNameless({ address: "192.0.2.9" });
    await fails("TooManyAttempts", () => signIn.password("ann", PASSWORD, { ...by, address: "192.0.2.9" }));
    await fails("WrongDoor", () => signIn.password("ann", PASSWORD, nobody("socket")));
  }));

Deno.test("SignIn: a secret that somebody put into a browser does not become a known device", () =>
  withAccess(async ({ access: { signIn }, by, sessions }) => {
    const kept: string[] = [];
    const planted = "p".repeat(43);
    await signIn.password("ann", PASSWORD, {
      ...by,
      device: planted,
      keepDevice: (each) => void kept.push(each),
    });
    assert.equal(sessions.length, 1);
    assert.notEqual(kept[0], planted);
    await signIn.password("ann", PASSWORD, {
      ...by,
      device: kept[0]!,
      keepDevice: (each) => void kept.push(each),
    });
    assert.equal(kept[1], kept[0], "the same device stays the same");
  }));

Deno.test("Credentials: sessions end when idle and at the latest, whatever the wall clock does (fault 13)", () =>
  withAccess(async ({ access: { signIn }, sessions, by, pass, holder }) => {
    await signIn.password("ann", PASSWORD, by);
    const [secret] = sessions;
    const first = holder(secret)!;
    await pass(MINUTE, -10 * 365 * 24 * 60 * MINUTE);
    assert.ok(holder(secret), "the clock was set back ten years");
    await pass(MINUTE, 20 * 365 * 24 * 60 * MINUTE);
    assert.ok(holder(secret), "… and ahead");
    await pass(SESSION_MS.idle - 1);
    assert.ok(holder(secret));
    await pass(SESSION_MS.idle);
    assert.equal(holder(secret), undefined);
    assert.equal(first.ended.aborted, false);
    await signIn.password("ann", PASSWORD, by);
    let lived = 0;
    while (holder(sessions[1])) {
      await pass(6 * 3600_000);
      lived += 6 * 3600_000;
    }
    assert.equal(lived, SESSION_MS.absolute);
  }));

Deno.test("Credentials: what is open uses its session, up to its absolute end (threat 13)", () =>
  withAccess(async ({ access: { signIn, credentials }, sessions, by, pass, holder }) => {
    await signIn.password("ann", PASSWORD, by);
    const { holder: mine, ended } = holder(sessions[0])!;
    const open = credentials.hold(mine);
    let lived = 0;
    for (; !ended.aborted; lived += 3600_000) {
      await pass(3600_000);
      credentials.tidy();
    }
    assert.equal(lived, SESSION_MS.absolute, "the console was cut then, without any request");
    open[Symbol.dispose]();
    await signIn.password("ann", PASSWORD, by);
    const second = holder(sessions[1])!;
    const [first, other] = [credentials.hold(second.holder), credentials.hold(second.holder)];
    for (const each of [first, first, other]) each[Symbol.dispose]();
    for (lived = 0; !second.ended.aborted; lived += 3600_000) {
      await pass(3600_000);
      credentials.tidy();
    }
    assert.equal(lived, SESSION_MS.idle, "closed, it uses nothing");
  }));

Deno.test("Credentials: a session outlives a restart and a reboot, with the time they took; only its hash is kept", () =>
  withAccess(async ({ access: { signIn }, sessions, by, pass, again, reboot }) => {
    await signIn.password("ann", PASSWORD, by);
    const secret = sessions[0]!;
    await pass(SESSION_MS.idle - MINUTE, -3600_000);
    const after = again();
    assert.ok(after.access.credentials.session(secret, ""), "the same boot: by its uptime");
    const rows = JSON.stringify(after.store.database!.prepare("SELECT * FROM access").all());
    assert.ok(!rows.includes(secret) && rows.includes(secretHash(secret)));
    reboot(SESSION_MS.idle + 2 * 3600_000);
    assert.equal(after.access.credentials.session(secret, ""), undefined, "across boots: by the wall clock");
    after.store.close();
  }));

Deno.test("Credentials: revoking, disabling and other rights end what lives on, at once (threat 13)", () =>
  withAccess(async ({ access, user, sessions, by, holder }) => {
    const { signIn, credentials, accounts } = access;
    await signIn.password("ann", PASSWORD, by);
    const first = holder(sessions[0])!;
    await accounts.update({ userId: user.id, grants: [{ role: "viewer", on: { kind: "everything" } }] });
    assert.ok(first.ended.aborted, "what was open asks again");
    const second = holder(sessions[0])!;
    assert.equal(second.ended.aborted, false, "the session goes on");
    credentials.endSession(second.holder.slice("session:".length), user.id);
    assert.ok(second.ended.aborted);
    assert.equal(holder(sessions[0]), undefined);
    await signIn.password("ann", PASSWORD, by);
    const third = holder(sessions[1])!;
    await accounts.update({ userId: user.id, disabled: true });
    assert.ok(third.ended.aborted);
    assert.equal(holder(sessions[1]), undefined);
  }));

Deno.test("Credentials: tokens expire by time that went by, are kept as hashes, and are less than their owner", () =>
  withAccess(async ({ access: { accounts, credentials }, user, store, pass }) => {
    const { token, info } = credentials.makeToken(user, "ci", [], 1);
    assert.match(token, /^kvmm_[\w-]{43}$/);
    assert.ok(!JSON.stringify(store.database!.prepare("SELECT * FROM access").all()).includes(token));
    assert.deepEqual(credentials.token(token, "192.0.2.7")?.rights, [accounts.layer(user.grants), []]);
    assert.deepEqual(credentials.tokens()[0]?.lastUsedFrom, "192.0.2.7");
    for (const wrong of [token.slice(0, -1), token.slice(5), `${token}x`, "kvmm_", ""]) {
      assert.equal(credentials.token(wrong, ""), undefined, wrong);
    }
    await fails("TokenNotFound", () => credentials.endToken(info.id, "somebody else"));
    await pass(24 * 3600_000 - 1, 0);
    assert.ok(credentials.token(token, ""));
    await pass(1, 0);
    assert.equal(credentials.token(token, ""), undefined);
  }));

Deno.test("Setup: a link is good once, for 15 minutes, and dies with the next", () =>
  withAccess(async ({ access: { setup, needsSetup, isEmpty }, pass }) => {
    assert.deepEqual([needsSetup, isEmpty], [true, false], "ann signs in, and is no administrator");
    const first = setup.issue().key, second = setup.issue().key;
    await fails("SetupKey", () => setup.redeem(first));
    const giveBack = setup.redeem(second);
    await fails("SetupKey", () => setup.redeem(second));
    giveBack();
    assert.ok(setup.fits(second));
    await pass(SETUP_MS);
    await fails("SetupKey", () => setup.redeem(second));
  }));

Deno.test("Access.identify() knows a session by its cookie, and tells its door", () =>
  withAccess(async ({ access, sessions, by }) => {
    await access.signIn.password("ann", PASSWORD, by);
    let told = 0;
    const caller = { door: "page" as const, address: "", signedIn: () => void told++ };
    const asked = (cookie: string) =>
      access.identify(new Request("http://127.0.0.1:8440/", { headers: { cookie } }), caller);
    assert.notEqual(asked(`kvmm-8440=${sessions[0]}x`).via, "session");
    assert.equal(told, 0, "a stranger's connection has no better standing");
    assert.equal(asked(`kvmm-8440=${sessions[0]}`).via, "session");
    assert.equal(told, 1, "the door keeps the connection");
  }));

Deno.test("Access.identify() takes what a page's script asks the API for as the page's, and a token as the API's", () =>
  withAccess(async ({ access, sessions, by, user }) => {
    await access.signIn.password("ann", PASSWORD, by);
    const { token } = access.credentials.makeToken(access.accounts.user(user.id), "ci", [], 1);
    const doorOf = (door: "api" | "mcp", headers: Record<string, string>) =>
      access.identify(new Request("http://127.0.0.1:8440/api/v1/vms", { headers }), { door, address: "" })
        .door;
    const cookie = `kvmm-8440=${sessions[0]}`;
    assert.equal(doorOf("api", { cookie }), "page");
    assert.equal(doorOf("mcp", { cookie }), "mcp");
    assert.equal(doorOf("api", { authorization: `Bearer ${token}` }), "api");
    assert.equal(doorOf("api", { "sec-fetch-site": "same-origin" }), "api", "a stranger is not believed");
  }));

Deno.test("Accounts keep one administrator who can sign in, and lose no account without a database", () =>
  withAccess(async ({ access: { accounts }, user }) => {
    await fails("UserExists", () => accounts.create({ name: "ann" }));
    for (const name of ["root", "libvirt"]) await fails("UserExists", () => accounts.create({ name }));
    await fails(
      "RoleNotFound",
      () => accounts.create({ name: "bob", grants: [{ role: "x", on: { kind: "everything" } }] }),
    );
    await accounts.update({
      userId: user.id,
      grants: [{ role: "administrator", on: { kind: "everything" } }],
    });
    await fails("LastAdministrator", () => accounts.update({ userId: user.id, grants: [] }));
    await fails("LastAdministrator", () => accounts.update({ userId: user.id, disabled: true }));
    await fails("LastAdministrator", () => accounts.delete(user.id));
    assert.equal(accounts.user(user.id).disabled, false);
    await fails(
      "PermissionNotGrantable",
      () => accounts.putRole({ role: "mine", permissions: ["vms.administer"] }, true),
    );
    await fails("RoleBuiltIn", () => accounts.putRole({ role: "viewer", permissions: [] }, false));
    accounts.putRole({ role: "mine", permissions: ["vms.view"] }, true);
    const bob = await accounts.create({
      name: "bob",
      grants: [{ role: "mine", on: { kind: "everything" } }],
    });
    await fails("RoleInUse", () => accounts.deleteRole("mine"));
    accounts.putRole({ role: "mine", permissions: ["vms.view", "vms.clone"] }, false);
    const layer = accounts.layer(accounts.user(bob.id).grants);
    assert.ok(typeof layer !== "string");
    const [allowance] = layer;
    assert.deepEqual([...allowance!.permissions], ["vms.view", "vms.clone"]);
  }));

/** Signs an account of the host in, and makes a token of it. */
async function hostUser(access: Access, by: Principal, sessions: (string | null)[]) {
  await access.signIn.password("hugo", PASSWORD, by);
  const user = access.accounts.named("hugo")!, session = sessions.at(-1);
  const all: Grant[] = [{ role: "administrator", on: { kind: "everything" } }];
  const { token, info } = access.credentials.makeToken(user, "ci", all, 30);
  return {
    user,
    session,
    token,
    tokenId: info.id,
    opens: () => ({
      session: access.credentials.session(session ?? "", "192.0.2.1") !== undefined,
      token: access.credentials.token(token, "192.0.2.1") !== undefined,
      schedule: typeof delegateFor(
        { access, socketRoleOf: () => undefined, linkedUser: () => undefined },
        { kind: "token", name: "hugo", tokenId: info.id },
        "schedule:1",
      ) !== "string",
    }),
  };
}
const OPEN = { session: true, token: true, schedule: true };
const SHUT = { session: false, token: false, schedule: false };

Deno.test("SignIn: what an account of the host has opens nothing once the host refuses it, and again once it takes it", () =>
  withAccess(async ({ withHost, by, sessions }) => {
    const host = new OneAccount(), access = withHost(host);
    const { user, token, opens } = await hostUser(access, by, sessions);
    const ask = () => access.signIn.askHostAgain(new AbortController().signal);
    assert.deepEqual(opens(), OPEN);
    host.standingNow = "unknown";
    await ask();
    assert.deepEqual(opens(), OPEN, "a PAM that does not answer locks no account out");
    host.standingNow = "refused";
    await ask();
    assert.deepEqual(opens(), SHUT);
    assert.equal(access.accounts.list().find(({ id }) => id === user.id)?.refused, true);
    host.standingNow = standingAs("viewer");
    await ask();
    assert.deepEqual(opens(), { ...SHUT, token: true, schedule: true }, "its session has ended");
    assert.deepEqual(
      access.accounts.user(user.id).grants,
      host.standingNow.grants,
      "rights are what its groups say now",
    );
    const rights = access.credentials.token(token, "192.0.2.1")!.rights;
    assert.equal(isAdministrator(rights), false);
  }));

Deno.test("SignIn: with a full disk, too, what accounts have opens nothing once the host refuses them", () =>
  withAccess(async ({ withHost, store, by, sessions }) => {
    const host = new OneAccount(), access = withHost(host), names = ["hugo", "ida"];
    for (const name of names) await access.signIn.password(name, PASSWORD, by);
    const open = () =>
      sessions.slice(-2).map((each) => access.credentials.session(each ?? "", "192.0.2.1") !== undefined);
    const stored = () => names.map((name) => access.accounts.named(name)!.refused);
    assert.deepEqual(open(), [true, true]);
    host.standingNow = "refused";
    const write = store.write;
    store.write = () => false;
    const ask = () => access.signIn.askHostAgain(new AbortController().signal);
    await fails("StoreUnavailable", ask);
    assert.deepEqual([open(), stored()], [[false, false], [undefined, undefined]]);
    store.write = write;
    await ask();
    assert.deepEqual([open(), stored()], [[false, false], [true, true]], "the next time it is written");
    host.standingNow = { uid: 1000, grants: [] };
    await ask();
    assert.deepEqual([open(), stored()], [[false, false], [undefined, undefined]], "the sessions have ended");
  }));

Deno.test("SignIn: an account of the host with another uid is another person, who gets nothing of the one before", () =>
  withAccess(async ({ withHost, by, sessions }) => {
    for (const how of ["signs in", "is asked about", "comes back after a refusal"] as const) {
      const host = new OneAccount(), access = withHost(host), { accounts } = access;
      const told: [string, number | undefined, number][] = [];
      accounts.onReplaced = ({ name, hostUid }, uid) => void told.push([name, hostUid, uid]);
      const { user, opens } = await hostUser(access, by, sessions);
      const totp = { secret: newTotpSecret(), lastStep: -1 };
      accounts.save({ ...accounts.user(user.id), totp, recovery: ["one"] });
      const ask = () => access.signIn.askHostAgain(new AbortController().signal);
      if (how === "comes back after a refusal") {
        host.standingNow = "refused";
        await ask();
      }
      host.standingNow = standingAs("viewer", 1001);
      if (how === "is asked about") await ask();
      assert.equal((await access.signIn.password("hugo", PASSWORD, by)).state, "signed-in", how);
      const now = accounts.named("hugo")!;
      assert.deepEqual([now.hostUid, now.totp, now.recovery], [1001, undefined, []], how);
      assert.notEqual(now.id, user.id);
      assert.deepEqual(opens(), SHUT, how);
      assert.deepEqual(told, [["hugo", 1000, 1001]], how);
      accounts.delete(now.id);
    }
  }));

Deno.test("SignIn: an account of the host that was kept without its uid is the one that signs in next", () =>
  withAccess(async ({ withHost, by, sessions }) => {
    const access = withHost(new OneAccount()), { accounts } = access;
    const { user, opens } = await hostUser(access, by, sessions);
    const { hostUid: _hostUid, ...before } = accounts.user(user.id);
    accounts.save(before);
    await access.signIn.password("hugo", PASSWORD, by);
    assert.deepEqual([accounts.named("hugo")!.id, accounts.named("hugo")!.hostUid], [user.id, 1000]);
    assert.deepEqual(opens(), OPEN);
  }));

Deno.test("SignIn: an account of the host is no administrator once the host refuses it, or while none are taken", () =>
  withAccess(async ({ withHost, user, by, sessions }) => {
    const host = new OneAccount(), access = withHost(host), { accounts } = access;
    await accounts.update({
      userId: user.id,
      grants: [{ role: "administrator", on: { kind: "everything" } }],
    });
    const { user: hugo } = await hostUser(access, by, sessions);
    host.standingNow = "refused";
    await access.signIn.askHostAgain(new AbortController().signal);
    await fails("LastAdministrator", () => accounts.delete(user.id));
    host.standingNow = standingAs("administrator");
    await access.signIn.password("hugo", PASSWORD, by);
    const without = withHost(null);
    assert.equal(without.accounts.user(hugo.id).refused, undefined, "only PAM is off");
    await fails("LastAdministrator", () => without.accounts.delete(user.id));
    await fails("LastAdministrator", () => without.accounts.update({ userId: user.id, disabled: true }));
    await fails("LastAdministrator", () => without.accounts.update({ userId: user.id, grants: [] }));
    assert.equal(without.credentials.session(sessions.at(-1) ?? "", "192.0.2.1"), undefined);
  }));

Deno.test("SignIn: a passkey of an account of the host signs in only while the host lets the account in", () =>
  withAccess(async ({ withHost, by, sessions }) => {
    const host = new OneAccount(), access = withHost(host), { accounts, passkeys } = access;
    const { user } = await hostUser(access, by, sessions);
    const passkey = { id: "k", name: "key", credential: "cred", publicKey: "", counter: 0, transports: [] };
    const kept = { ...passkey, site: "localhost", synced: false, createdAt: 0, lastUsedAt: null };
    accounts.save({ ...accounts.user(user.id), passkeys: [kept] });
    // Its signature is right: what is tested is what the host says of the account.
    passkeys.check = () => Promise.resolve(kept);
    const answer = { id: "cred", clientDataJSON: "", authenticatorData: "", signature: "" };
    const signIn = () => access.signIn.passkey(undefined, answer, by);
    assert.equal((await signIn()).state, "signed-in");
    for (const standing of ["refused", "unknown"] as const) {
      host.standingNow = standing;
      await fails("SignInFailed", signIn);
    }
    host.standingNow = standingAs("viewer");
    await signIn();
    assert.deepEqual(accounts.user(user.id).grants, host.standingNow.grants);
    const off = withHost(null);
    off.passkeys.check = passkeys.check;
    await fails("SignInFailed", () => off.signIn.passkey(undefined, answer, by));
  }));
