/** An encrypted copy of a VM on another host, used without a restore: booted as a test, its files read by libguestfs. */
import assert from "node:assert/strict";
import { done, holding, runOf, withoutGuestfs } from "../testbed/backups.ts";
import { testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer } from "../testbed/product.ts";
import { testerHeaders } from "../testbed/sign_in.ts";
import { requirement } from "../testbed/skip.ts";
import { sshServer } from "../testbed/ssh_server.ts";

const ignore = await requirement("qemu", "ssh") !== null;
const noGuestfs = ignore ? "no sshd" : await withoutGuestfs();
const PASSPHRASE = "correct horse battery", WORD = "KNOWN-PLAINTEXT-OF-THE-GUEST";

Deno.test({
  name: "an encrypted copy on another host: booted as a test, and its files read, without a restore",
  ignore,
  fn: async (t) => {
    await using pool = await testPool();
    const disk = { pool, format: "raw", size: "16M" } as const;
    await using vm = await testMachine({ purpose: "sealed-far", guest: false, disks: [disk] });
    const root = await Deno.makeTempDir();
    await Deno.writeTextFile(`${root}/hostname`, `${WORD}\n`);
    await run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", root, vm.disks[0]!, "16M"]);
    await Deno.remove(root, { recursive: true });
    await using ssh = await sshServer();
    await using server = await readyServer();
    await known(server, vm.uuid);
    const { id: backupTargetId } = await call(server, "create_backup_target", {
      name: "far",
      kind: "sftp",
      server: "127.0.0.1",
      port: ssh.port,
      user: "root",
      path: ssh.folder,
      privateKey: ssh.privateKey,
      hostKey: ssh.hostKey,
      privateAddresses: true,
      passphrase: PASSPHRASE,
    });
    const input = { name: "far", backupTargetId, targets: { vmIds: [vm.uuid] } };
    const { id: backupId } = await call(server, "create_backup", input);
    const made = await runOf(server, backupId);
    done(made);
    assert.equal(await holding(ssh.folder, WORD), "");
    const of = { backupId, runId: made.id, vmId: vm.uuid };
    await t.step("it is booted: its disk has no system, and that is what is said", async () => {
      const { ok, checkedBytes, run: tested } = await call(server, "verify_backup", {
        ...of,
        kind: "boot",
        seconds: 30,
        pool: pool.name,
      });
      const { bootTest } = tested.copies.find(({ vmId }) => vmId === vm.uuid)!;
      assert.deepEqual([ok, checkedBytes], [false, 16 * 1024 ** 2]);
      assert.doesNotMatch(bootTest!.message!, /damaged|could not be started/);
      assert.equal(bootTest!.screen, true);
      assert.equal((await call(server, "get_backup_screen", of)).format, "image/png");
    });
    await t.step({
      name: "its files are read",
      ignore: noGuestfs !== null,
      fn: async () => {
        const { filesystems: [found] } = await call(server, "list_backup_files", of);
        const where = { ...of, filesystem: found!.device };
        const { files } = await call(server, "list_backup_files", where);
        assert.ok(files.some(({ name, size }) => name === "hostname" && size === WORD.length + 1));
        const path = `/api/v1/backups/${backupId}/runs/${made.id}/vms/${vm.uuid}/files/content`;
        const query = new URLSearchParams({ filesystem: found!.device, path: "/hostname" });
        const answer = await fetch(`${server.url}${path}?${query}`, { headers: testerHeaders(server.url) });
        assert.equal(await answer.text(), `${WORD}\n`);
      },
    });
  },
});
