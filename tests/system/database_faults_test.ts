/** The database locked, full or failing under the running server: who is in stays in, machines stay controllable (faults 10, 12). */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { asRoot, Person, signedIn } from "../testbed/people.ts";
import { readyServer, refusal } from "../testbed/product.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const PASSWORD = "correct horse battery";
/** Milliseconds a lock is held. */
const HELD_MS = 20_000;

/** Checks the server's behaviour while the database cannot be written, for any length of time. */
async function whileBroken(server: TestServer, ann: Person, why: RegExp): Promise<void> {
  const [vm] = await ann.call("get_vms");
  const within = async (what: string, run: () => Promise<unknown>, ms = 3000) => {
    const started = performance.now();
    await run();
    const took = performance.now() - started;
    assert.ok(took < ms, `${what} took ${Math.round(took)} ms`);
  };
  await within("a session's read", () => ann.call("get_session"));
  await within("a session's command", () => ann.call("pause_vm", { vmId: vm!.id }));
  await within("root's command", () => asRoot(server, "resume_vm", { vmId: vm!.id }));
  await within("a sign-in", async () => {
    const { code, message } = await refusal(
      new Person(server, {}).call("sign_in", { name: "ann", password: PASSWORD }),
    );
    assert.equal(code, "StoreUnavailable");
    assert.match(message, /VMs can still be controlled/);
  }, 8000);
  // Said on the dashboard, and by get_host_info to programs.
  await until("the fault to be told", async () => {
    const { attention } = await ann.call("get_host_info");
    return attention.some((text) => why.test(text));
  }, { seconds: 15 });
}

async function afterwards(server: TestServer, since: number): Promise<void> {
  await until(
    "the sign-in to work again",
    () => signedIn(server, "ann", PASSWORD).then(() => true, () => false),
    {
      seconds: 30,
    },
  );
  await until("what was done meanwhile to be recorded", async () => {
    const entries = await asRoot(server, "get_audit_log", { since });
    return ["pause_vm", "resume_vm"].every((action) => entries.some((each) => each.action === action));
  }, { seconds: 30 });
}

/** strace on every thread of the server, with some of its system calls failing. */
async function failing(server: TestServer, inject: string): Promise<AsyncDisposable> {
  const child = new Deno.Command("strace", {
    args: [
      "-f",
      "-q",
      "-p",
      String(server.pid),
      "-e",
      `trace=${inject.split(":")[0]}`,
      "-e",
      `inject=${inject}`,
      "-o",
      "/dev/null",
    ],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const said = new Response(child.stderr).text();
  await delay(1500);
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGINT");
      await child.status;
      await said;
    },
  };
}
const traceable = await requirement("strace") === null;

Deno.test({
  name: "the database locked, full, or failing under the running server",
  ignore,
  fn: async (t) => {
    await using server = await readyServer({ uri: "test:///default", logLevel: "info" });
    await asRoot(server, "create_user", {
      name: "ann",
      password: PASSWORD,
      grants: [{ role: "administrator", on: { kind: "everything" } }],
    });
    const ann = await signedIn(server, "ann", PASSWORD);

    await t.step("locked by another program", async () => {
      const since = Date.now();
      const other = new DatabaseSync(`${server.dataDir}/kvm-manager.db`);
      other.exec("BEGIN EXCLUSIVE");
      const started = performance.now();
      try {
        await whileBroken(server, ann, /locked/);
        await delay(HELD_MS - (performance.now() - started));
        await ann.call("get_vms");
      } finally {
        other.exec("ROLLBACK");
        other.close();
      }
      await afterwards(server, since);
    });
    for (
      const [what, inject, why] of [
        ["no room on its file system", "pwrite64:error=ENOSPC", /full|room|space/i],
        ["a disk that fails on fsync", "fsync,fdatasync:error=EIO", /I\/O|disk/i],
      ] as const
    ) {
      await t.step({
        name: what,
        ignore: !traceable,
        fn: async () => {
          const since = Date.now();
          {
            await using _fault = await failing(server, inject);
            await whileBroken(server, ann, why);
          }
          await afterwards(server, since);
        },
      });
    }
    await t.step("nothing was reset: everybody and everything is still there", () => {
      const check = new DatabaseSync(`${server.dataDir}/kvm-manager.db`, { readOnly: true });
      assert.equal(check.prepare("PRAGMA integrity_check").get()?.integrity_check, "ok");
      const users = check.prepare("SELECT count(*) AS n FROM access WHERE kind = 'user'").get()?.n;
      check.close();
      assert.equal(Number(users), 2);
    });
  },
});
