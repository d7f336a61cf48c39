/** Accounts of this host, through the real PAM: a temporary user and group, checked by pam_unix. */
import assert from "node:assert/strict";
import { HostAccounts } from "../../agent/access/host_accounts.ts";
import { hostRolesIn } from "../../lib/access/host_roles.ts";
import { aloneWith } from "../testbed/alone.ts";
import { asRoot, Person, signedIn } from "../testbed/people.ts";
import { readyServer, refusal } from "../testbed/product.ts";
import { exists, run } from "../testbed/process.ts";
import { until } from "../testbed/wait.ts";
import { requirement } from "../testbed/skip.ts";

const SERVICE = "/etc/pam.d/kvm-manager";
const tools =
  (await Promise.all(["/usr/sbin/useradd", "/usr/sbin/groupadd", "/usr/sbin/chpasswd"].map(exists)))
    .every(Boolean);
const ignore = await requirement("qemu") !== null || Deno.uid() !== 0 || !tools || await exists(SERVICE);
const sh = async (...argv: string[]) => void await run(argv);
const PASSWORD = "correct horse battery";
const codeOf = async (asked: Promise<unknown>) => (await refusal(asked)).code;

/** A user of this host in groups of its own; removed with them. */
async function hostUser(groups: readonly string[]): Promise<{ name: string } & AsyncDisposable> {
  const name = `kvmmt${crypto.randomUUID().slice(0, 8)}`;
  await using undo = new AsyncDisposableStack();
  for (const group of groups) {
    await sh("groupadd", group);
    undo.defer(() => sh("groupdel", group));
  }
  await sh(
    "useradd",
    "-M",
    "-s",
    "/usr/sbin/nologin",
    ...(groups.length > 0 ? ["-G", groups.join(",")] : []),
    name,
  );
  undo.defer(() => sh("userdel", name));
  const child = new Deno.Command("chpasswd", { stdin: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(`${name}:${PASSWORD}\n`));
  await writer.close();
  assert.ok((await child.status).success);
  const cleanup = undo.move();
  return { name, [Symbol.asyncDispose]: () => cleanup.disposeAsync() };
}

Deno.test({
  name: "accounts of the host sign in through PAM when a group of theirs is named, and no other account does",
  ignore,
  fn: async (t) => {
    using _accounts = await aloneWith("accounts");
    await using undo = new AsyncDisposableStack();
    const group = `kvmmg${crypto.randomUUID().slice(0, 8)}`;
    await using member = await hostUser([group]);
    await using stranger = await hostUser([]);
    const options = { uri: "test:///default", logLevel: "info" } as const;

    await t.step("off: no account of the host is known", async () => {
      await using server = await readyServer(options);
      assert.equal(await codeOf(signedIn(server, member.name, PASSWORD)), "SignInFailed");
    });
    await using server = await readyServer({ ...options, args: ["--pam", `${group}=operator`] });
    const nobody = new Person(server, {});
    await t.step("without a service file everybody is refused", async () => {
      assert.equal(await codeOf(signedIn(server, member.name, PASSWORD)), "SignInFailed");
    });
    await Deno.writeTextFile(SERVICE, "auth required pam_unix.so\naccount required pam_unix.so\n");
    undo.defer(() => Deno.remove(SERVICE));

    await t.step(
      "a member signs in; the account is made, with the group's role and no password",
      async () => {
        const person = await signedIn(server, member.name, PASSWORD);
        const { user } = await person.call("get_session");
        assert.deepEqual(user?.grants, [{ role: "operator", on: { kind: "everything" } }]);
        assert.deepEqual([user?.host, user?.name], [true, member.name]);
        assert.ok((await person.call("get_vms")).length > 0);
        assert.equal(
          await codeOf(person.call("set_password", { current: PASSWORD, password: "another horse battery" })),
          "HostAccount",
        );
        await assert.rejects(asRoot(server, "update_user", { userId: user!.id, grants: [] }), /HostAccount/);
        const database = await Deno.readFile(`${server.dataDir}/kvm-manager.db`);
        assert.ok(!new TextDecoder("latin1").decode(database).includes(PASSWORD));
        assert.ok(!server.log().includes(PASSWORD));
      },
    );
    await t.step(
      "wrong passwords, strangers, unknown names and root are refused, all alike, in the same time",
      async () => {
        const tries = [
          [member.name, "wrong"],
          [stranger.name, PASSWORD],
          ["nobody-here", PASSWORD],
          ["root", PASSWORD],
        ] as const;
        const took: number[] = [];
        for (const [name, password] of tries) {
          const started = performance.now();
          const { code, message } = await refusal(nobody.call("sign_in", { name, password }));
          assert.deepEqual([code, message], ["SignInFailed", "Name, password or code is wrong"], name);
          took.push(performance.now() - started);
        }
        assert.ok(took.every((ms) => ms >= 1990), took.join());
        // C would end the name at the NUL, and find the member: no text with one comes as far as PAM
        const cut = nobody.call("sign_in", { name: `${member.name}\0x`, password: PASSWORD });
        assert.equal(await codeOf(cut), "InvalidInput");
      },
    );
    await t.step("one-time codes work; the server answers others while PAM waits", async () => {
      const person = await signedIn(server, member.name, PASSWORD);
      const guess = refusal(nobody.call("sign_in", { name: member.name, password: "wrong" }));
      const started = performance.now();
      await person.call("get_session");
      assert.ok(performance.now() - started < 1500);
      await guess;
      assert.ok((await person.call("begin_totp")).secret.length > 0);
    });
    await t.step("guessing is slowed down, as for everybody", async () => {
      const guesses = await Promise.all(
        Array.from(
          { length: 12 },
          (_, n) => codeOf(nobody.call("sign_in", { name: stranger.name, password: `x${n}` })),
        ),
      );
      assert.ok(guesses.filter((code) => code === "SignInFailed").length <= 5, guesses.join());
      assert.ok(guesses.includes("TooManyAttempts"));
    });
    await t.step(
      "the host says of an account that is signed in whether it may be used, and what it may do",
      async () => {
        const accounts = new HostAccounts(hostRolesIn(`${group}=operator`)!);
        const standing = () => accounts.standing(member.name);
        const uid = Number((await run(["id", "-u", member.name])).trim());
        const operator = { uid, grants: [{ role: "operator", on: { kind: "everything" } }] };
        const changes: [off: string[], on: string[]][] = [
          [["gpasswd", "-d", member.name, group], ["gpasswd", "-a", member.name, group]],
          [["usermod", "-L", member.name], ["usermod", "-U", member.name]],
          [["usermod", "-e", "1", member.name], ["usermod", "-e", "", member.name]],
        ];
        for (const [off, on] of changes) {
          assert.deepEqual(await standing(), operator);
          await sh(...off);
          assert.equal(await standing(), "refused", off.join(" "));
          await sh(...on);
        }
        assert.equal(await accounts.standing("nobody-here"), "refused");
      },
    );
    await t.step("a session and a token of an account that was locked end within a minute", async () => {
      const person = await signedIn(server, member.name, PASSWORD);
      const { token } = await person.call("create_token", {
        name: "ci",
        password: PASSWORD,
        grants: [{ role: "viewer", on: { kind: "everything" } }],
      });
      const robot = new Person(server, { authorization: `Bearer ${token}` });
      await robot.call("get_vms");
      await sh("usermod", "-L", member.name);
      const isShut = async (who: Person) => (await codeOf(who.call("get_vms")).catch(() => "")) !== "";
      await until("the session ends", () => isShut(person), { seconds: 90 });
      await until("the token is refused", () => isShut(robot), { seconds: 90 });
      await sh("usermod", "-U", member.name);
      await until("the token counts again", async () => !await isShut(robot), { seconds: 90 });
    });
    await t.step(
      "who leaves the group stays out, as does an account that is locked on the host",
      async () => {
        await sh("gpasswd", "-d", member.name, group);
        assert.equal(await codeOf(signedIn(server, member.name, PASSWORD)), "SignInFailed");
        await sh("gpasswd", "-a", member.name, group);
        await sh("usermod", "-L", "-e", "1", member.name);
        assert.equal(await codeOf(signedIn(server, member.name, PASSWORD)), "SignInFailed");
      },
    );
  },
});
