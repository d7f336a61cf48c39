/** Getting in and out of the real server: setup, sign-in, one-time codes, sessions, tokens, and what ends with them. */
import assert from "node:assert/strict";
import { CONSOLE_CLOSE } from "../../lib/contract/mod.ts";
import { codeAt, stepOf } from "../../agent/access/totp.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { asRoot, cookieOf, Person, personWith, signedIn } from "../testbed/people.ts";
import { known, readyServer, refusal, shows } from "../testbed/product.ts";
import { openSocket } from "../testbed/rfb.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const PASSWORD = "correct horse battery";
const EVERYTHING = { kind: "everything" } as const;
/** The server without a hypervisor: libvirt's own test driver. */
const plainServer = () => readyServer({ uri: "test:///default", logLevel: "info" });
const codeOf = async (asked: Promise<unknown>) => (await refusal(asked)).code;

/** A user who can sign in. */
async function userWith(server: TestServer, name: string, role = "viewer") {
  return await asRoot(server, "create_user", {
    name,
    password: PASSWORD,
    grants: [{ role, on: EVERYTHING }],
  });
}

/** Sends a page's form, as a browser without script does. */
async function submit(person: Person, path: string, fields: Record<string, string>) {
  const { url } = person.server;
  const response = await person.fetch(path, {
    method: "POST",
    headers: { origin: url, "sec-fetch-site": "same-origin" },
    body: new URLSearchParams(fields),
  });
  return {
    status: response.status,
    to: response.headers.get("location"),
    html: await response.text(),
    cookie: cookieOf(response),
  };
}

Deno.test({
  name:
    "setup: the start prints a link that makes one administrator, root gives another, and nothing else does",
  ignore,
  fn: async () => {
    await using server = await plainServer();
    const [, key = ""] = /\/setup\?key=([\w-]{43})\s*$/m.exec(server.log()) ?? [];
    assert.notEqual(key, "", "the last line has the link");
    const nobody = new Person(server, {});
    assert.match(await (await nobody.fetch("/setup?key=wrong")).text(), /expired or was already used/);
    assert.equal(
      await codeOf(nobody.raw("set_up", { key: "x".repeat(43), name: "eve", password: PASSWORD })),
      "SetupKey",
    );
    const weak = await submit(nobody, "/setup", { key, name: "ann", password: "password1234" });
    assert.deepEqual([weak.status, weak.cookie], [400, ""]);
    assert.match(weak.html, /list of passwords/);
    const done = await submit(nobody, "/setup", { key, name: "ann", password: PASSWORD });
    assert.deepEqual([done.status, done.to], [303, "/"]);
    assert.match(done.cookie, /^kvmm-\d+=[\w-]{43}$/);
    const ann = new Person(server, { cookie: done.cookie });
    const { administrator, name } = await ann.call("get_session");
    assert.deepEqual([administrator, name], [true, "ann"]);
    assert.equal((await submit(nobody, "/setup", { key, name: "eve", password: PASSWORD })).status, 403);

    assert.equal(await codeOf(ann.call("create_setup_link")), "Forbidden", "root's socket alone");
    const { url } = await asRoot(server, "create_setup_link", {});
    assert.ok(url.startsWith(`${server.url}/setup?key=`), url);
    const second = new URL(url).searchParams.get("key")!;
    const both = await Promise.all(
      ["bob", "eve"].map((each) => submit(nobody, "/setup", { key: second, name: each, password: PASSWORD })),
    );
    assert.deepEqual(both.map(({ status }) => status).sort(), [303, 403], "one use, also at the same time");
    const audit = await asRoot(server, "get_audit_log", { action: "set_up" });
    assert.ok(
      audit.some(({ actor, result, address }) =>
        actor === "ann" && result === "ok" && address === "127.0.0.1"
      ),
    );
    assert.ok(!JSON.stringify(audit).includes(PASSWORD) && !JSON.stringify(audit).includes(key));
    assert.ok(!server.log().includes(PASSWORD));
  },
});

Deno.test({
  name: "sign-in: cookie, one-time codes, recovery codes; wrong, replayed and endless attempts",
  ignore,
  fn: async (t) => {
    await using server = await plainServer();
    await userWith(server, "ann");
    const nobody = new Person(server, {});

    await t.step("the session's cookie is the browser's alone", async () => {
      const response = await nobody.fetch("/api/v1/session", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name: "Ann", password: PASSWORD }),
      });
      await response.body?.cancel();
      const cookie = response.headers.get("set-cookie") ?? "";
      assert.match(cookie, new RegExp(`^kvmm-${new URL(server.url).port}=`));
      for (const part of ["HttpOnly", "SameSite=Lax", "Path=/"]) assert.ok(cookie.includes(part), cookie);
    });
    const ann = await signedIn(server, "ann", PASSWORD);

    await t.step("forms of other sites do nothing", async () => {
      for (
        const headers of [{ origin: "http://evil.example" }, { origin: "null" }, {
          "sec-fetch-site": "cross-site",
        }]
      ) {
        for (const path of ["/sign-in", "/sign-out", "/settings/account", "/setup"]) {
          const response = await ann.fetch(path, {
            method: "POST",
            headers: headers as Record<string, string>,
            body: new URLSearchParams({ a: "b" }),
          });
          assert.equal(response.status, 403, `${path} ${JSON.stringify(headers)}`);
          await response.body?.cancel();
        }
      }
      assert.equal((await ann.call("get_session")).name, "ann");
    });

    let secret = "", recovery: string[] = [];
    await t.step("one-time codes are switched on with the app's first code", async () => {
      ({ secret } = await ann.call("begin_totp"));
      const password = PASSWORD;
      const right = () => ({ code: codeAt(secret, stepOf(Date.now()) - 1) });
      assert.equal(await codeOf(ann.call("confirm_totp", right())), "PasswordNeeded");
      assert.equal(await codeOf(ann.call("confirm_totp", { code: "000000", password })), "SignInFailed");
      assert.equal(
        await codeOf(ann.call("confirm_totp", { ...right(), password: "not the password" })),
        "SignInFailed",
      );
      ({ recoveryCodes: recovery } = await ann.call("confirm_totp", {
        password,
        code: codeAt(secret, stepOf(Date.now()) - 1),
      }));
      assert.equal(recovery.length, 10);
      assert.equal(await codeOf(ann.call("begin_totp")), "SecondFactorOn");
    });
    await t.step("then the password alone opens nothing, and a code only once", async () => {
      const first = await submit(nobody, "/sign-in", { name: "ann", password: PASSWORD, to: "/storage" });
      assert.deepEqual([first.status, first.cookie], [200, ""]);
      const [, challenge = ""] = /name="challenge" value="([\w-]+)"/.exec(first.html) ?? [];
      const wrong = await submit(nobody, "/sign-in", { challenge, code: "123", to: "/storage" });
      assert.deepEqual([wrong.status, wrong.cookie], [403, ""]);
      const code = codeAt(secret, stepOf(Date.now()));
      const done = await submit(nobody, "/sign-in", { challenge, code, to: "/storage" });
      assert.deepEqual([done.status, done.to], [303, "/storage"]);
      assert.equal(
        (await new Person(server, { cookie: done.cookie }).call("get_session")).user?.secondFactor,
        true,
      );
      const again = await nobody.call("sign_in", { name: "ann", password: PASSWORD });
      assert.equal(
        await codeOf(nobody.call("confirm_sign_in", { challenge: again.challenge!, code })),
        "SignInFailed",
      );
      const [used = ""] = recovery;
      await nobody.call("confirm_sign_in", { challenge: again.challenge!, code: used.toUpperCase() });
      const third = await nobody.call("sign_in", { name: "ann", password: PASSWORD });
      assert.equal(
        await codeOf(nobody.call("confirm_sign_in", { challenge: third.challenge!, code: used })),
        "SignInFailed",
      );
    });
    await t.step("root helps who has lost everything, and it is written down", async () => {
      const { id: userId } = (await asRoot(server, "list_users", {})).find(({ name }) => name === "ann")!;
      await asRoot(server, "reset_second_factor", { userId });
      assert.equal((await nobody.call("sign_in", { name: "ann", password: PASSWORD })).state, "signed-in");
      const [row] = await asRoot(server, "get_audit_log", { action: "reset_second_factor" });
      assert.deepEqual([row?.actor, row?.door, row?.result], ["root", "socket", "ok"]);
    });
    await t.step("guessing is slowed down by account, in parallel too, and fills no log", async () => {
      await userWith(server, "bob");
      const begun = performance.now();
      const guesses = await Promise.all(
        Array.from(
          { length: 40 },
          (_, n) => codeOf(nobody.call("sign_in", { name: "bob", password: `wrong guess ${n}` })),
        ),
      );
      const failed = guesses.filter((code) => code === "SignInFailed").length;
      // Five are free; the next ones wait for a second, two, four: on a busy machine they may be over meanwhile.
      const most = 5 + Math.floor(Math.log2((performance.now() - begun) / 1000 + 1));
      assert.ok(failed <= most, `${failed} guesses were let through`);
      assert.ok(guesses.includes("TooManyAttempts"));
      assert.equal(
        await codeOf(nobody.call("sign_in", { name: "bob", password: PASSWORD })),
        "TooManyAttempts",
      );
      const rows = await asRoot(server, "get_audit_log", { action: "sign_in", result: "error", text: "bob" });
      assert.ok(rows.length <= 5 + 40 - guesses.filter((code) => code === "TooManyAttempts").length);
      assert.equal(
        (await signedIn(server, "ann", PASSWORD)).headers.cookie?.slice(0, 5),
        "kvmm-",
        "others are not",
      );
    });
    await t.step("the way back is ours, whatever the address says", async () => {
      for (
        const to of [
          "//evil.example",
          "/\\evil.example",
          "https://evil.example",
          "javascript:alert(1)",
          "/api/v1/vms",
        ]
      ) {
        const { to: location } = await submit(nobody, "/sign-in", { name: "ann", password: PASSWORD, to });
        assert.equal(location, "/", to);
      }
    });
  },
});

Deno.test({
  name: "sessions and tokens: what is revoked ends at once, with its streams and consoles (threats 11, 13)",
  ignore,
  fn: async (t) => {
    await using vm = await testMachine({
      purpose: "access",
      guest: false,
      start: true,
      vnc: true,
      memoryMiB: 64,
    });
    await using other = await testMachine({ purpose: "access-other", guest: false });
    await using server = await readyServer({ logLevel: "info" });
    await shows(server, vm.uuid, ({ state }) => state === "running");
    await known(server, other.uuid);
    const { id: userId } = await userWith(server, "ann", "operator");
    const ann = await signedIn(server, "ann", PASSWORD);
    const second = await signedIn(server, "ann", PASSWORD);
    const headers = (person: Person) => ({ origin: server.url, ...person.headers });
    const console = async (person: Person) =>
      await openSocket(
        server,
        await person.call("open_console", { vmId: vm.uuid, kind: "vnc" }),
        headers(person),
      );
    /** Resolves with the code a console was closed with. */
    const closing = (socket: Awaited<ReturnType<typeof console>>) =>
      new Promise<number>((resolve) => socket.once("close", (code) => resolve(code)));
    /** An open event stream, and its end. */
    const stream = async (person: Person) => {
      const response = await person.fetch("/api/v1/events");
      assert.equal(response.status, 200);
      return { over: response.text().then(() => "over", () => "over") };
    };

    await t.step("a ticket is good for its session alone (threats 12, 13)", async () => {
      for (
        const wrong of [headers(second), { origin: server.url }, { origin: server.url, cookie: "kvmm-1=x" }]
      ) {
        const ticket = await ann.call("open_console", { vmId: vm.uuid, kind: "vnc" });
        await assert.rejects(openSocket(server, ticket, wrong), /40[13]/);
        await assert.rejects(openSocket(server, ticket, headers(ann)), /403/, "the wrong try has used it up");
      }
    });
    await t.step("revoking a session ends its stream and console, and no other's", async () => {
      const [mine, theirs] = [await console(ann), await console(second)];
      const [ended, streamed] = [closing(mine), await stream(ann)];
      let theirsEnded = false;
      theirs.once("close", () => theirsEnded = true);
      const current = (await ann.call("list_sessions")).find((each) => each.current)!;
      assert.equal(current.address, "127.0.0.1");
      await second.call("revoke_session", { sessionId: current.id });
      assert.equal(await ended, CONSOLE_CLOSE.revoked);
      assert.equal(await streamed.over, "over");
      assert.equal(await codeOf(ann.call("get_session")), "NotSignedIn");
      assert.equal(theirsEnded, false);
      theirs.close();
    });
    await t.step("only administrators revoke another user's session", async () => {
      await userWith(server, "eve");
      const eve = await signedIn(server, "eve", PASSWORD);
      const [session] = await second.call("list_sessions");
      assert.deepEqual((await eve.call("list_sessions", { all: true })).map(({ userName }) => userName), [
        "eve",
      ]);
      assert.equal(await codeOf(eve.call("revoke_session", { sessionId: session!.id })), "SessionNotFound");
    });
    await t.step("fewer rights end what lives by them; the session goes on with what is left", async () => {
      const mine = await console(second);
      const ended = closing(mine);
      await asRoot(server, "update_user", { userId, grants: [{ role: "viewer", on: EVERYTHING }] });
      assert.equal(await ended, CONSOLE_CLOSE.revoked);
      assert.equal((await second.call("get_session")).name, "ann");
      assert.equal(await codeOf(second.call("open_console", { vmId: vm.uuid, kind: "vnc" })), "Forbidden");
    });
    await t.step("a machine that leaves the group takes its consoles along", async () => {
      await asRoot(server, "set_group", { vmId: vm.uuid, group: "lab" });
      await asRoot(server, "update_user", {
        userId,
        grants: [{ role: "operator", on: { kind: "group", group: "lab" } }],
      });
      const ended = closing(await console(second));
      await asRoot(server, "set_group", { vmId: vm.uuid, group: "" });
      assert.equal(await ended, CONSOLE_CLOSE.revoked);
      assert.equal(await codeOf(second.call("get_vm", { vmId: vm.uuid })), "VmNotFound");
    });
    await t.step("events tell of the machines one may see, and of those that go out of sight", async () => {
      const viewer = await personWith(server, "lens", [
        { role: "viewer", on: { kind: "vm", vmId: vm.uuid } },
        { role: "viewer", on: { kind: "group", group: "lab" } },
      ]);
      const response = await viewer.fetch("/api/v1/events");
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      const reading = (async () => {
        for (let read = await reader.read(); !read.done; read = await reader.read()) text += read.value;
      })().catch(() => undefined);
      const tag = (vmId: string, word: string) => asRoot(server, "set_tags", { vmId, tags: [word] });
      await tag(other.uuid, "unseen");
      await tag(vm.uuid, "seen");
      await until("the event", () => Promise.resolve(text.includes('"seen"')), { seconds: 5 });
      assert.ok(!text.includes(other.uuid) && !text.includes("unseen"));
      await asRoot(server, "set_group", { vmId: other.uuid, group: "lab" });
      await until("the machine to appear", () => Promise.resolve(text.includes(other.uuid)), { seconds: 5 });
      await asRoot(server, "set_group", { vmId: other.uuid, group: "" });
      await until("the machine to go", () => Promise.resolve(/event: vm-deleted/.test(text)), { seconds: 5 });
      const length = text.length;
      await virsh("desc", other.name, "--title", "secret title");
      await tag(other.uuid, "unseen-again");
      await tag(vm.uuid, "seen-again");
      await until("the last event", () => Promise.resolve(text.includes("seen-again")), { seconds: 5 });
      assert.ok(!text.slice(length).includes(other.uuid) && !text.includes("secret title"));
      await reader.cancel();
      await reading;
    });
    await t.step(
      "a token may do what was picked, as long as its owner may, until it is revoked",
      async () => {
        const bot = await personWith(server, "bot", [{ role: "operator", on: EVERYTHING }], [{
          role: "viewer",
          on: { kind: "vm", vmId: vm.uuid },
        }]);
        assert.deepEqual((await bot.call("get_vms")).map(({ id }) => id), [vm.uuid]);
        assert.equal(await codeOf(bot.call("set_tags", { vmId: vm.uuid, tags: [] })), "Forbidden");
        assert.equal(await codeOf(bot.call("create_token", { name: "more" })), "NoAccount");
        // Root has no account of its own: the option that says whose token it is must be named.
        await assert.rejects(asRoot(server, "create_token", { name: "more" }), /--user-id/);
        for (const name of ["list_tokens", "list_sessions"] as const) {
          assert.equal(await codeOf(bot.call(name)), "NoAccount");
        }
        const streamed = await stream(bot);
        const [token] = (await asRoot(server, "list_tokens", { all: true })).filter(({ userName }) =>
          userName === "bot"
        );
        assert.equal(token?.lastUsedFrom, "127.0.0.1");
        await asRoot(server, "revoke_token", { tokenId: token!.id });
        assert.equal(await streamed.over, "over");
        assert.equal(await codeOf(bot.call("get_vms")), "TokenInvalid");
      },
    );
    await t.step("changing the password, disabling and deleting end what there is", async () => {
      await asRoot(server, "update_user", { userId, grants: [{ role: "viewer", on: EVERYTHING }] });
      const third = await signedIn(server, "ann", PASSWORD);
      assert.equal(
        await codeOf(
          third.call("set_password", { current: "not the password", password: "another horse battery" }),
        ),
        "SignInFailed",
      );
      // A token is made with the password once more, and ends with it unless it is kept.
      assert.equal(await codeOf(third.call("create_token", { name: "x" })), "PasswordNeeded");
      assert.equal(
        await codeOf(third.call("create_token", { name: "x", password: "not the password" })),
        "SignInFailed",
      );
      const grants = [{ role: "viewer" as const, on: EVERYTHING }];
      const { token } = await third.call("create_token", { name: "x", grants, password: PASSWORD });
      const program = new Person(server, { authorization: `Bearer ${token}` });
      const kept = "one horse battery more";
      await third.call("set_password", { current: PASSWORD, password: kept, revokeTokens: false });
      assert.equal((await program.call("get_session")).name, "ann");
      const streamedByToken = await stream(program);
      await third.call("set_password", { current: kept, password: "another horse battery" });
      assert.equal(await streamedByToken.over, "over");
      assert.equal(await codeOf(program.call("get_session")), "TokenInvalid");
      const { token: next } = await asRoot(server, "create_token", { name: "y", grants, userId });
      await asRoot(server, "update_user", { userId, password: "another horse battery" });
      assert.equal(
        await codeOf(new Person(server, { authorization: `Bearer ${next}` }).call("get_session")),
        "TokenInvalid",
        "nor does one survive a password that an administrator sets",
      );
      const { cookie } = (await signedIn(server, "ann", "another horse battery")).headers;
      Object.assign(third.headers, { cookie });
      assert.equal((await third.call("get_session")).name, "ann");
      assert.equal(await codeOf(second.call("get_session")), "NotSignedIn");
      await asRoot(server, "update_user", { userId, disabled: true });
      assert.equal(await codeOf(third.call("get_session")), "NotSignedIn");
      await asRoot(server, "delete_user", { userId });
      assert.equal(
        await codeOf(
          new Person(server, {}).call("sign_in", { name: "ann", password: "another horse battery" }),
        ),
        "SignInFailed",
      );
    });
    await t.step("signing out ends the session", async () => {
      const eve = await signedIn(server, "eve", PASSWORD);
      const { status, to } = await submit(eve, "/sign-out", {});
      assert.deepEqual([status, to], [303, "/sign-in"]);
      assert.equal(await codeOf(eve.call("get_session")), "NotSignedIn");
    });
  },
});

Deno.test({
  name: "without a database only root gets in, and keeps control; nothing is set up again (fault 12)",
  ignore,
  fn: async () => {
    const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    try {
      await Deno.writeTextFile(
        `${dataDir}/kvm-manager.db`,
        "this is no database, and is left as it is\n".repeat(500),
      );
      await using server = await readyServerForRoot(dataDir);
      assert.doesNotMatch(server.log(), /setup\?key/, "unknown is not the same as none");
      const nobody = new Person(server, {});
      assert.equal(
        await codeOf(nobody.call("sign_in", { name: "ann", password: PASSWORD })),
        "StoreUnavailable",
      );
      const [vm] = await asRoot(server, "get_vms", {});
      await asRoot(server, "pause_vm", { vmId: vm!.id });
      await asRoot(server, "resume_vm", { vmId: vm!.id });
      assert.match(await Deno.readTextFile(`${dataDir}/kvm-manager.db`), /^this is no database/);
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  },
});

/** A server whose database is unusable: only root is answered. */
async function readyServerForRoot(dataDir: string): Promise<TestServer> {
  const server = await startServer({ uri: "test:///default", logLevel: "info", dataDir });
  await until("the first list", async () => (await asRoot(server, "get_vms", {})).length > 0, {
    seconds: 20,
  });
  return server;
}

Deno.test({
  name:
    "an administrator's session changes users and roles only once it was confirmed; tokens and root are not asked",
  ignore,
  fn: async () => {
    await using server = await startServer({ uri: "test:///default" });
    const grants = [{ role: "administrator", on: EVERYTHING }];
    const { id: userId } = await asRoot(server, "create_user", { name: "boss", password: PASSWORD, grants });
    const { id: other } = await asRoot(server, "create_user", { name: "other", password: PASSWORD });
    const boss = await signedIn(server, "boss", PASSWORD),
      elsewhere = await signedIn(server, "boss", PASSWORD);
    const role = { role: "own", permissions: ["vms.view"] };
    const all = [
      ["create_user", { name: "third" }],
      ["update_user", { userId: other, password: "another horse battery" }],
      ["update_user", { userId: other, grants }],
      ["reset_second_factor", { userId: other }],
      ["delete_user", { userId: other }],
      ["create_role", role],
      ["update_role", role],
      ["delete_role", { role: "own" }],
      ["create_token", { name: "x", userId: other }],
    ] as const;
    for (const [name, input] of all) {
      assert.equal(await codeOf(boss.raw(name, input)), "PasswordNeeded", name);
    }
    assert.equal(await codeOf(boss.call("reauthenticate", { password: "not the password" })), "SignInFailed");
    assert.equal(await codeOf(boss.call("reauthenticate", {})), "InvalidInput");
    assert.equal(await codeOf(boss.call("create_user", { name: "third" })), "PasswordNeeded");
    assert.equal((await boss.call("get_session")).confirmedUntil, null);
    const { confirmedUntil } = await boss.call("reauthenticate", { password: PASSWORD });
    assert.ok(Math.abs(confirmedUntil - Date.now() - 5 * 60_000) < 10_000);
    assert.equal(typeof (await boss.call("get_session")).confirmedUntil, "number");
    assert.equal(await codeOf(elsewhere.call("create_user", { name: "third" })), "PasswordNeeded");
    const made = await boss.call("create_user", { name: "third" });
    await boss.call("create_token", { name: "x" });
    await boss.call("delete_user", { userId: made.id });
    const { token } = await asRoot(server, "create_token", { name: "program", userId, grants });
    const program = new Person(server, { authorization: `Bearer ${token}` });
    await program.call("create_user", { name: "fourth" });
    assert.equal(await codeOf(program.call("reauthenticate", { password: PASSWORD })), "NoAccount");
  },
});
