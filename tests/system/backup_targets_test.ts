/** Backups of real VMs to targets: encrypted ones, of which nothing is read there; a bucket; another host; a storage pool. */
import assert from "node:assert/strict";
import { backupFolder, contentOf, holding, logOf, runOf, write } from "../testbed/backups.ts";
import { virsh } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, ownServer, readyServer, refused } from "../testbed/product.ts";
import { S3_KEY, S3_SECRET, s3Server } from "../testbed/s3_server.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { sshServer } from "../testbed/ssh_server.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const ignoreSsh = ignore || await requirement("ssh") !== null;
const PASSPHRASE = "correct horse battery", WORD = "KNOWN-PLAINTEXT-OF-THE-GUEST";

/** Restores a run's copy, compares its disk, and removes it. */
async function comesBack(
  server: TestServer,
  { backupId, runId, vm, pool }: { backupId: string; runId: string; vm: TestMachine; pool: string },
  expected: string,
): Promise<void> {
  const name = `${vm.name}-back`;
  const { vmId } = await call(server, "restore_backup", { backupId, runId, vmId: vm.uuid, name, pool });
  const { disks: [disk] } = await call(server, "get_vm", { vmId });
  try {
    assert.equal(await contentOf(disk!.source!, disk!.format!), expected);
  } finally {
    await virsh("undefine", name);
    await Deno.remove(disk!.source!);
    await virsh("pool-refresh", pool);
  }
}

Deno.test({
  name: "an encrypted target: nothing of the VM is read in it, an increment and a new host bring it back",
  ignore,
  fn: async (t) => {
    await using pool = await testPool();
    await using vm = await testMachine({ purpose: "sealed", guest: false, disks: [{ pool, size: "24M" }] });
    const words = Array.from({ length: 4000 }, () => WORD).join(" ");
    const plain = await Deno.makeTempFile();
    await Deno.writeTextFile(plain, words);
    await run(["qemu-io", "-f", "qcow2", "-c", `write -s ${plain} 0 64k`, vm.disks[0]!]);
    await Deno.remove(plain);
    // libvirt makes images of the old version, which keep no notes of changes.
    await run(["qemu-img", "amend", "-f", "qcow2", "-o", "compat=1.1", vm.disks[0]!]);
    await vm.start();
    await using folder = await backupFolder();
    await using server = await readyServer();
    await known(server, vm.uuid);
    const target = { kind: "folder", folder: folder.path } as const;
    await refused(
      call(server, "create_backup_target", { name: "short", ...target, passphrase: "short" }),
      "InvalidInput",
      /passphrase/,
    );
    await refused(
      call(server, "create_backup_target", {
        name: "twice",
        ...target,
        passphrase: PASSPHRASE,
        passphraseAgain: "another horse battery",
      }),
      "InvalidInput",
      /is not the same passphrase/,
    );
    const made = await call(server, "create_backup_target", {
      name: "safe",
      ...target,
      passphrase: PASSPHRASE,
    });
    assert.deepEqual([made.encrypted, made.address], [true, folder.path]);
    const { id: backupId } = await call(server, "create_backup", {
      name: "sealed",
      backupTargetId: made.id,
      targets: { vmIds: [vm.uuid] },
    });
    let runId = "", expected = "";

    await t.step("a copy, and one of what changed since", async () => {
      const first = await runOf(server, backupId);
      assert.equal(first.state, "done", JSON.stringify(first));
      await write(vm, "write -P 0x55 9M 64k");
      const second = await runOf(server, backupId);
      assert.equal(second.state, "done", JSON.stringify(second));
      assert.ok(second.copies[0]!.readBytes! < 4 * 1024 ** 2, await logOf(server, second));
      assert.equal((await call(server, "verify_backup", { backupId, runId: second.id })).ok, true);
      runId = second.id;
      await virsh("destroy", vm.name);
      await known(server, vm.uuid);
      await until(
        "it is off",
        async () => (await call(server, "get_vm", { vmId: vm.uuid })).state === "stopped",
      );
      expected = await contentOf(vm.disks[0]!, "qcow2");
      await comesBack(server, { backupId, runId, vm, pool: pool.name }, expected);
    });

    await t.step(
      "nothing of it is read there: no content, no name, no definition, no passphrase",
      async () => {
        assert.notEqual(
          await holding(pool.path, WORD),
          "",
          "the disk itself has it: the search finds what is there",
        );
        const secret = [WORD, vm.name, vm.uuid, "<domain", "vda", PASSPHRASE, "sealed"];
        assert.equal(await holding(`${folder.path}/kvm-manager-backups`, ...secret), "");
        const shown = JSON.stringify([
          await call(server, "list_backup_targets", {}),
          await call(server, "list_backups", {}),
          await call(server, "get_audit_log", {}),
        ]);
        assert.ok(!shown.includes(PASSPHRASE) && !shown.includes("dataKey"));
        assert.equal(await holding(server.dataDir, PASSPHRASE), "", "nor is it kept: its key alone is");
      },
    );

    await t.step("a new host asks for the passphrase, and takes no other one", async () => {
      await using fresh = await readyServer();
      await known(fresh, vm.uuid);
      const create = (passphrase?: string) =>
        call(fresh, "create_backup_target", { name: "found", ...target, ...(passphrase && { passphrase }) });
      await refused(create(), "BackupPassphraseNeeded", /are encrypted: their passphrase is needed/);
      await refused(create("wrong horse battery"), "BackupPassphraseWrong", /does not open/);
      await refused(
        call(fresh, "create_backup", { name: "plain", folder: folder.path, targets: { all: true } }),
        "BackupPassphraseNeeded",
      );
      const { id } = await create(PASSPHRASE);
      const backup = await call(fresh, "create_backup", {
        name: "x",
        backupTargetId: id,
        targets: { vmIds: [vm.uuid] },
      });
      const runs = await call(fresh, "list_backup_runs", { backupId: backup.id });
      assert.deepEqual(runs.map((each) => [each.id === runId, each.found]), [[true, true], [false, true]]);
      await comesBack(fresh, { backupId: backup.id, runId, vm, pool: pool.name }, expected);
    });

    await t.step(
      "a chunk that is another one's content is told by its name, and is never written",
      async () => {
        const all = (await run(["find", `${folder.path}/kvm-manager-backups/chunks`, "-type", "f"])).trim()
          .split("\n");
        assert.ok(all.length >= 2);
        await Deno.copyFile(all[0]!, all[1]!);
        const { ok, run: { copies } } = await call(server, "verify_backup", { backupId, runId });
        assert.equal(ok, false);
        assert.ok(copies[0]!.verified!.message!.includes(all[1]!.slice(-64)), copies[0]!.verified!.message!);
        await refused(
          call(server, "restore_backup", {
            backupId,
            runId,
            vmId: vm.uuid,
            name: `${vm.name}-no`,
            pool: pool.name,
          }),
          "BackupDamaged",
        );
      },
    );

    await t.step("a store that says it is not encrypted any more gets nothing", async () => {
      const path = `${folder.path}/kvm-manager-backups/repository.json`;
      const { format, id } = JSON.parse(await Deno.readTextFile(path));
      await Deno.writeTextFile(path, JSON.stringify({ format, version: 1, id }));
      await refused(
        call(server, "run_backup_now", { backupId }),
        "BackupTargetUnusable",
        /says another thing of its encryption than before/,
      );
    });
  },
});

Deno.test({
  name:
    "a bucket: backed up, verified, restored; a service that fails or a kill in the middle, and the next run is whole",
  ignore,
  fn: async (t) => {
    await using pool = await testPool();
    await using vm = await testMachine({
      purpose: "bucket",
      guest: false,
      disks: [{ pool, format: "raw", size: "24M" }],
    });
    await run(["dd", "if=/dev/urandom", `of=${vm.disks[0]}`, "bs=1M", "count=20", "conv=notrunc"]);
    const expected = await contentOf(vm.disks[0]!, "raw");
    await vm.start();
    await using s3 = await s3Server();
    const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-bucket-" });
    await using undo = new AsyncDisposableStack();
    undo.defer(() => Deno.remove(dataDir, { recursive: true }));
    let backupId = "";
    {
      await using server = await readyServer({ dataDir });
      await known(server, vm.uuid);
      const place = {
        kind: "s3",
        endpoint: s3.endpoint,
        bucket: s3.bucket,
        prefix: "host",
        accessKey: S3_KEY,
      } as const;
      const secret = { secretKey: S3_SECRET, passphrase: PASSPHRASE };
      await refused(
        call(server, "create_backup_target", { name: "s3", ...place, ...secret }),
        "BackupTargetUnusable",
        /Allow private addresses/,
      );
      const made = await call(server, "create_backup_target", {
        name: "s3",
        ...place,
        ...secret,
        privateAddresses: true,
      });
      assert.ok(!JSON.stringify(made).includes(`"secretKey"`));
      await refused(
        call(server, "update_backup_target", { backupTargetId: made.id, endpoint: "http://127.0.0.1:1" }),
        "InvalidInput",
        /secretKey must be given again: the server is another one/,
      );
      assert.equal((await call(server, "test_backup_target", { backupTargetId: made.id })).freeBytes, null);
      const input = { name: "s3", backupTargetId: made.id, targets: { vmIds: [vm.uuid] }, keep: 2 };
      backupId = (await call(server, "create_backup", input)).id;
      await refused(
        call(server, "delete_backup_target", { backupTargetId: made.id }),
        "BackupTargetInUse",
      );
      await t.step("the service fails in the middle", async () => {
        let puts = 0;
        s3.fail((request, response) => {
          if (request.method !== "PUT" || !request.url!.includes("/chunks/") || ++puts < 3) return false;
          response.writeHead(403).end("<Error><Code>QuotaExceeded</Code></Error>");
          return true;
        });
        const { state, message } = await runOf(server, backupId);
        s3.fail(undefined);
        assert.equal(state, "failed");
        assert.match(message!, /it is full/);
        assert.equal(await vm.state(), "running");
        assert.match(await virsh("domjobinfo", vm.name), /Job type:\s+None/);
      });
      await t.step("KVM Manager is killed in the middle", async () => {
        const before = s3.seen.length;
        await call(server, "run_backup_now", { backupId });
        await until(
          "chunks",
          () =>
            Promise.resolve(
              s3.seen.slice(before).filter((line) => /^PUT .*chunks/.test(line))
                .length > 1,
            ),
          { every: 10, seconds: 90 },
        );
        await server.kill();
      });
    }
    await using server = await readyServer({ dataDir });
    await known(server, vm.uuid);
    await t.step("the next run is whole, and what was left is gone", async () => {
      const done = await until("a run", async () => {
        const ended = await runOf(server, backupId).catch(() => undefined);
        return ended?.state === "done" ? ended : await delay(500).then(() => null);
      }, { seconds: 120 });
      assert.equal((await call(server, "verify_backup", { backupId, runId: done.id })).ok, true);
      assert.equal(
        await run(["sh", "-c", 'find "$0" -name "partial-*" -o -path "*locks*" -type f', s3.folder]),
        "",
      );
      await comesBack(server, { backupId, runId: done.id, vm, pool: pool.name }, expected);
    });
  },
});

Deno.test({
  name: "another host by SFTP, and a storage pool: backed up, verified, restored",
  ignore: ignoreSsh,
  fn: async (t) => {
    await using pool = await testPool();
    await using second = await testPool("second");
    await using vm = await testMachine({ purpose: "far", guest: false, disks: [{ pool, size: "16M" }] });
    await run(["qemu-io", "-f", "qcow2", "-c", "write -P 0x41 0 3M", vm.disks[0]!]);
    const expected = await contentOf(vm.disks[0]!, "qcow2");
    await using ssh = await sshServer();
    await using server = await ownServer();
    await known(server, vm.uuid);
    const goesThrough = async (name: string, backupTargetId: string) => {
      const input = { name, backupTargetId, targets: { vmIds: [vm.uuid] } };
      const { id: backupId } = await call(server, "create_backup", input);
      const done = await runOf(server, backupId);
      assert.equal(done.state, "done", JSON.stringify(done));
      assert.equal((await call(server, "verify_backup", { backupId, runId: done.id })).ok, true);
      await comesBack(server, { backupId, runId: done.id, vm, pool: pool.name }, expected);
    };
    await t.step("sftp: the host's key is told, and confirmed", async () => {
      const place = {
        kind: "sftp",
        name: "far",
        server: "127.0.0.1",
        port: ssh.port,
        user: "root",
        path: ssh.folder,
        privateKey: ssh.privateKey,
        privateAddresses: true,
      } as const;
      await refused(
        call(server, "create_backup_target", place),
        "BackupHostKeyUnknown",
        new RegExp(RegExp.escape(ssh.hostKey)),
      );
      const { id } = await call(server, "create_backup_target", { ...place, hostKey: ssh.hostKey });
      await goesThrough("far", id);
    });
    await t.step("sftp: a bad server there disturbs no other target", async () => {
      const odd = {
        nothing: "",
        "another protocol": "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
        "no packets": `SSH-2.0-odd\r\n${"\xff".repeat(4096)}`,
        "an end in the middle": "SSH-2.0-odd\r\n\0\0\0\x0c",
      };
      for (const [what, answer] of Object.entries(odd)) {
        using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
        const answering = (async () => {
          for await (const client of listener) {
            await client.write(Uint8Array.from(answer, (letter) => letter.charCodeAt(0)));
            client.close();
          }
        })();
        const place = {
          name: "odd",
          server: "127.0.0.1",
          port: listener.addr.port,
          user: "root",
          path: "/srv",
          ...{ privateKey: ssh.privateKey, privateAddresses: true, kind: "sftp" } as const,
        };
        await refused(call(server, "create_backup_target", place), "BackupTargetUnusable");
        listener.close();
        await answering;
        const targets = await call(server, "list_backup_targets", {});
        assert.deepEqual(targets.map(({ name }) => name), ["far"], what);
      }
      const place = { server: "127.0.0.1", port: 1, user: "root", path: "/srv", password: "x" };
      await refused(
        call(server, "create_backup_target", { name: "odd", kind: "sftp", ...place, privateAddresses: true }),
        "BackupTargetUnusable",
        /REFUSED/,
      );
      assert.doesNotMatch(server.log(), /unexpected|Uncaught/);
    });
    await t.step("a pool whose volumes are files; none that is stopped, or not there", async () => {
      const create = (name: string) =>
        call(server, "create_backup_target", { name, kind: "pool", pool: name });
      await refused(create("kvmm-no-such-pool"), "StoragePoolNotFound");
      const { id, address } = await create(second.name);
      assert.equal(address, second.name);
      await goesThrough("pool", id);
      await virsh("pool-destroy", second.name);
      await until(
        "it is known",
        async () =>
          (await call(server, "get_storage_pools", {})).find(({ name }) => name === second.name)?.state ===
            "inactive",
      );
      await refused(
        call(server, "test_backup_target", { backupTargetId: id }),
        "BackupTargetUnusable",
        /is stopped/,
      );
    });
  },
});
