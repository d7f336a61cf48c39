/** An account of the host that was removed and made again under its name: with another uid it is another person's. */
import assert from "node:assert/strict";
import { aloneWith } from "../testbed/alone.ts";
import { asRoot, Person, signedIn } from "../testbed/people.ts";
import { readyServer } from "../testbed/product.ts";
import { exists, run } from "../testbed/process.ts";
import { until } from "../testbed/wait.ts";

const SERVICE = "/etc/pam.d/kvm-manager";
const FIRST = "the first one's horse", SECOND = "the second one's horse";
const tools =
  (await Promise.all(["/usr/sbin/useradd", "/usr/sbin/groupadd", "/usr/sbin/chpasswd"].map(exists)))
    .every(Boolean);

/** Makes an account of this host. */
async function makeAccount(name: string, group: string, uid: number, password: string): Promise<void> {
  await run(["useradd", "-M", "-u", String(uid), "-s", "/usr/sbin/nologin", "-G", group, name]);
  const child = new Deno.Command("chpasswd", { stdin: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(`${name}:${password}\n`));
  await writer.close();
  assert.ok((await child.status).success);
}

Deno.test({
  name: "an account of the host that is made again with another uid has nothing of the one before",
  ignore: Deno.uid() !== 0 || !tools || await exists(SERVICE),
  fn: async () => {
    using _accounts = await aloneWith("accounts");
    await using undo = new AsyncDisposableStack();
    const group = `kvmmg${crypto.randomUUID().slice(0, 8)}`, name = `kvmmt${crypto.randomUUID().slice(0, 8)}`;
    await run(["groupadd", group]);
    undo.defer(async () => void await run(["groupdel", group]));
    await makeAccount(name, group, 54711, FIRST);
    undo.defer(async () => void await run(["userdel", name]));
    await Deno.writeTextFile(SERVICE, "auth required pam_unix.so\naccount required pam_unix.so\n");
    undo.defer(() => Deno.remove(SERVICE));
    await using server = await readyServer({ uri: "test:///default", args: ["--pam", `${group}=operator`] });
    const first = await signedIn(server, name, FIRST);
    const { token } = await first.call("create_token", {
      name: "ci",
      password: FIRST,
      grants: [{ role: "viewer", on: { kind: "everything" } }],
    });
    const program = new Person(server, { authorization: `Bearer ${token}` });
    const opens = (person: Person) => person.call("get_vms").then(() => true, () => false);
    assert.deepEqual([await opens(first), await opens(program)], [true, true]);
    await run(["userdel", name]);
    await until("the token is refused", async () => !await opens(program), { seconds: 45 });
    await makeAccount(name, group, 54712, SECOND);
    assert.ok(await opens(await signedIn(server, name, SECOND)));
    assert.deepEqual([await opens(first), await opens(program)], [false, false]);
    const events = await asRoot(server, "get_audit_log", { limit: 20 });
    const message = events.find(({ action }) => action === "account-replaced")?.message ?? "";
    assert.match(message, /54712, and had 54711/);
  },
});
