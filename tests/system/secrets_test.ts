/**
 * Checks that secrets are not readable: modes of all files that the server makes, and planted secrets searched for
 * everywhere (threat 19).
 */
import assert from "node:assert/strict";
import { walk } from "../../scripts/project.ts";
import { call } from "../testbed/product.ts";
import { filesOf, testName } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { buildBinary } from "../testbed/product_binary.ts";
import { removeFiles } from "../testbed/removal.ts";
import { anonymously, atSocket } from "../testbed/sign_in.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null;
const PASSWORD = "planted password of ann 7316";
const PASSPHRASE = "planted passphrase of a volume 9921";

/** Files below folders that hold a text, as it is or as JSON, base64 or an address would have it. */
async function holders(folders: readonly string[], secret: string): Promise<string[]> {
  const forms = [secret, btoa(secret), encodeURIComponent(secret)].map((form) =>
    new TextEncoder().encode(form)
  );
  const found: string[] = [];
  for (const folder of folders) {
    for (const { path, isFile } of await walk(folder)) {
      if (!isFile || !(await Deno.lstat(path)).isFile) continue;
      const bytes = await Deno.readFile(path);
      const text = new TextDecoder("latin1").decode(bytes);
      if (forms.some((form) => text.includes(new TextDecoder("latin1").decode(form)))) found.push(path);
    }
  }
  return found;
}

Deno.test({
  name: "nothing the server makes is anyone else's to read, and no planted secret is in it, nor in the log",
  ignore,
  fn: async (t) => {
    const name = await testName("secrets");
    const folder = filesOf(name);
    await using undo = new AsyncDisposableStack();
    undo.defer(() => removeFiles(name));
    const [dataDir, temporary] = [`${folder}/data`, `${folder}/tmp`];
    await Deno.mkdir(temporary, { recursive: true });
    // As a careless administrator has it
    await Deno.mkdir(dataDir, { mode: 0o755 });
    const umask = Deno.umask(0o022);
    undo.defer(() => Promise.resolve(void Deno.umask(umask)));
    await using server = await startServer({ dataDir, env: { TMPDIR: temporary } });
    await using pool = await testPool();
    const secrets: Record<string, string> = { PASSWORD, PASSPHRASE };

    await t.step(
      "secrets are planted: password, session, tokens, setup link, a volume's passphrase",
      async () => {
        const grants = [{ role: "administrator", on: { kind: "everything" } }];
        const { id } = await atSocket(server.socket, "create_user", {
          name: "ann",
          password: PASSWORD,
          grants,
        }) as {
          id: string;
        };
        const session = await anonymously(`${server.url}/api/v1/session`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ name: "ann", password: PASSWORD }),
        });
        await session.body?.cancel();
        secrets.session = /=([^;]{20,})/.exec(session.headers.get("set-cookie") ?? "")?.[1] ??
          assert.fail("no session");
        const token = await atSocket(server.socket, "create_token", { name: "t", userId: id, grants }) as {
          token: string;
        };
        secrets.token = token.token;
        const setup = await atSocket(server.socket, "create_setup_link", {}) as { url: string };
        secrets.setup = new URL(setup.url).searchParams.get("key") ?? assert.fail("no key");
        await call(server, "create_volume", {
          pool: pool.name,
          name: "locked.img",
          format: "raw",
          capacityBytes: 1 << 24,
          encryption: { passphrase: PASSPHRASE },
        });
        // What is refused is audited too
        await call(server, "create_user", { name: "ann", password: PASSWORD, grants: [] } as never).catch(
          () => {},
        );
        await call(server, "nonsense" as never, { password: PASSWORD } as never).catch(() => {});
      },
    );

    await t.step("the state is saved while it runs", async () => {
      await run([
        await buildBinary(),
        "backup-state",
        `${folder}/saved.state`,
        "--data-dir",
        dataDir,
      ]);
      assert.equal((await Deno.stat(`${folder}/saved.state`)).mode! & 0o777, 0o600);
    });

    await t.step("no file of it may be read by others", async () => {
      const open: string[] = [];
      for (const below of [dataDir, server.runtimeDir, temporary]) {
        for (const { path, isFile } of await walk(below)) {
          if (isFile && ((await Deno.lstat(path)).mode! & 0o077) !== 0) open.push(path);
        }
      }
      assert.deepEqual(open, []);
    });

    await t.step(
      "no secret is in the data folder, the temporary files, the saved state, the log or the audit",
      async () => {
        const audit = JSON.stringify(await call(server, "get_audit_log", { limit: 1000 }));
        assert.match(audit, /create_volume/);
        await server.kill(); // what is not written down yet stays in the -wal file
        const found: string[] = [];
        for (const [what, secret] of Object.entries(secrets)) {
          for (const path of await holders([folder], secret)) found.push(`${what} in ${path}`);
          if (audit.includes(secret)) found.push(`${what} in the audit`);
          // The first start's link is meant to be printed; no other key is
          if (server.log().includes(secret)) found.push(`${what} in the log`);
        }
        assert.deepEqual(found, []);
      },
    );
    await t.step("the search finds what is there", async () => {
      await Deno.writeTextFile(`${temporary}/leak`, `x${PASSWORD}x`);
      assert.deepEqual(await holders([folder], PASSWORD), [`${temporary}/leak`]);
    });
  },
});
