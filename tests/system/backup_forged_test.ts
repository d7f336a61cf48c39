/** Folders of backups that lie: whoever has the disk or the share may have written anything into them. */
import assert from "node:assert/strict";
import type { BackupRun } from "../../lib/contract/mod.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { noFirmware } from "../testbed/firmware.ts";
import { testPool } from "../testbed/pool.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

const digestOf = async (bytes: Uint8Array<ArrayBuffer>) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();

/** A folder on this host, gone afterwards. */
async function folderOf(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ dir: "/var/lib/libvirt", prefix: "kvmm-test-forged-" });
  await Deno.chmod(path, 0o711);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Runs a backup, and waits for its end. */
async function runOf(server: TestServer, backupId: string): Promise<BackupRun> {
  const { id } = await call(server, "run_backup_now", { backupId });
  return await until("the backup's end", async () => {
    const found = (await call(server, "list_backup_runs", { backupId })).find((each) => each.id === id);
    return found !== undefined && found.state !== "running" ? found : null;
  }, { every: 100 });
}

/** Writes files of the only copy in a folder, and a manifest with their checksums. */
async function forge(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const copies = `${folder}/kvm-manager-backups/copies`;
  const [{ name }] = await Array.fromAsync(Deno.readDir(copies)) as [Deno.DirEntry];
  const manifest = JSON.parse(await Deno.readTextFile(`${copies}/${name}/manifest.json`));
  for (const [file, text] of Object.entries(files)) {
    const bytes = new TextEncoder().encode(text);
    await Deno.writeFile(`${copies}/${name}/${file}`, bytes);
    const digest = await digestOf(bytes);
    if (file === "domain.xml") manifest.definition = digest;
    else if (file === "nvram") manifest.nvram = digest;
    else manifest.disks[0].chunks = digest;
  }
  const text = new TextEncoder().encode(JSON.stringify(manifest));
  await Deno.writeFile(`${copies}/${name}/manifest.json`, text);
  await Deno.writeTextFile(`${copies}/${name}/manifest.json.sha256`, await digestOf(text));
}

Deno.test({
  name: "a copy that names what is another VM's gets nothing of it, and opens nothing",
  ignore: ignore || await noFirmware() !== null,
  fn: async (t) => {
    await using pool = await testPool();
    await using vm = await testMachine({
      purpose: "forgeduefi",
      guest: false,
      vnc: true,
      agent: true,
      disks: [{ pool, size: "4M" }],
    });
    const variables = (name: string) => `/var/lib/libvirt/qemu/nvram/${name}_VARS.fd`;
    const theirs = {
      nvram: variables(`${vm.name}-other`),
      log: `/var/log/libvirt/qemu/${vm.name}-other.log`,
      status: `/run/libvirt/qemu/${vm.name}-other.xml`,
      agent: `/var/lib/libvirt/qemu/channel/target/${vm.name}-other.sock`,
    };
    await using files = new AsyncDisposableStack();
    for (const path of Object.values(theirs)) {
      await Deno.writeTextFile(path, "another VM's");
      files.defer(() => Deno.remove(path));
    }
    const file = await Deno.makeTempFile();
    await Deno.writeTextFile(file, (await vm.xml("--inactive")).replace("<os>", "<os firmware='efi'>"));
    await virsh("define", file).finally(() => Deno.remove(file));
    await vm.start();
    await virsh("destroy", vm.name);
    files.defer(async () => void await virsh("undefine", vm.name, "--nvram"));
    await using folder = await folderOf();
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    const { id: backupId } = await call(server, "create_backup", {
      name: vm.name,
      folder: folder.path,
      targets: { vmIds: [vmId] },
    });
    const run = await runOf(server, backupId);
    assert.equal(run.state, "done", JSON.stringify(run));
    const evil = (await vm.xml("--inactive"))
      .replace(/<os[^>]*>/, "<os>")
      .replace(/<nvram[^>]*>[^<]*<\/nvram>|<loader[^>]*>[^<]*<\/loader>|<firmware>[^]*<\/firmware>/g, "")
      .replace(
        "</os>",
        `<loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader><nvram>${theirs.nvram}</nvram></os>`,
      )
      .replace(/<graphics[^]*<\/graphics>/, "")
      .replace(
        "</devices>",
        `<serial type='unix'><source mode='bind' path='${theirs.status}'/></serial>` +
          `<serial type='pty'><log file='${theirs.log}' append='off'/></serial>` +
          `<channel type='unix'><source mode='bind' path='${theirs.agent}'/><target type='virtio' name='x.0'/></channel>` +
          "<interface type='user'/><interface type='direct'><source dev='lo' mode='bridge'/></interface>" +
          "<interface type='bridge'><source bridge='virbr0'/></interface>" +
          "<graphics type='vnc' port='5999' passwd='known'><listen type='address' address='0.0.0.0'/></graphics></devices>",
      );
    await forge(folder.path, { "domain.xml": evil });
    const judge = async (name: string, warnings: readonly string[]) => {
      const xml = await virsh("dumpxml", "--inactive", "--security-info", name);
      for (const word of [...Object.values(theirs), "<interface", "0.0.0.0", "known", "5999"]) {
        assert.ok(!xml.includes(word), `${word} in ${xml}`);
      }
      assert.match(xml, /<graphics type='vnc'[^>]*passwd=/);
      const told = warnings.join("\n");
      for (const word of [/user/, /direct lo/, /bridge virbr0/, /other\.log/, /other\.xml/, /other\.sock/]) {
        assert.match(told, word);
      }
      // libvirt deletes and opens them when the VM starts
      await virsh("start", name);
      await virsh("destroy", name);
      for (const path of Object.values(theirs)) {
        assert.equal(await Deno.readTextFile(path), "another VM's", path);
      }
      return xml;
    };
    await t.step("in place", async () => {
      const { warnings } = await call(server, "restore_backup", {
        backupId,
        runId: run.id,
        vmId,
        inPlace: true,
      });
      const xml = await judge(vm.name, warnings);
      assert.ok(xml.includes(variables(vm.name)), xml);
    });
    await t.step(
      "as a new VM, with variables of its own also where a file of that name is there",
      async () => {
        const name = `${vm.name}-new`;
        await Deno.writeTextFile(variables(name), "another VM's");
        files.defer(() => Deno.remove(variables(name)));
        const { warnings } = await call(server, "restore_backup", {
          backupId,
          runId: run.id,
          vmId,
          name,
          pool: pool.name,
        });
        try {
          const xml = await judge(name, warnings);
          assert.match(
            xml,
            new RegExp(`<nvram[^>]*>/var/lib/libvirt/qemu/nvram/${name}-[0-9a-f]{8}_VARS.fd<`),
          );
          assert.equal(await Deno.readTextFile(variables(name)), "another VM's");
        } finally {
          await virsh("undefine", name, "--nvram");
          await virsh("pool-refresh", pool.name);
        }
      },
    );
  },
});

Deno.test({
  name: "a copy whose definition reaches into the host is restored without that",
  ignore,
  fn: async (t) => {
    await using pool = await testPool();
    await using vm = await testMachine({ purpose: "forged", guest: false, disks: [{ pool, size: "4M" }] });
    await using folder = await folderOf();
    await using secret = await folderOf();
    await using server = await readyServer();
    const vmId = vm.uuid, planted = `${secret.path}/planted`, canary = `${secret.path}/canary`;
    await Deno.writeTextFile(canary, "secret");
    await known(server, vmId);
    const { id: backupId } = await call(server, "create_backup", {
      name: vm.name,
      folder: folder.path,
      targets: { vmIds: [vmId] },
    });
    const run = await runOf(server, backupId);
    assert.equal(run.state, "done", JSON.stringify(run));
    const definition = await virsh("dumpxml", "--inactive", vm.name);
    const evil = definition
      .replace(/<os>[^]*<\/os>/, (os) => os.replace("</os>", `<nvram>${planted}</nvram></os>`))
      .replace(
        "</devices>",
        `<serial type='file'><source path='${planted}'/></serial>` +
          `<filesystem type='mount'><source dir='${secret.path}'/><target dir='x'/></filesystem>` +
          `<disk type='file' device='cdrom'><source file='${canary}'/><target dev='sdz' bus='sata'/><readonly/></disk>` +
          "</devices><seclabel type='none'/>",
      );
    await forge(folder.path, { "domain.xml": evil, nvram: "* * * * * root id\n" });

    const judge = async (name: string, warnings: readonly string[]) => {
      const xml = await virsh("dumpxml", "--inactive", name);
      for (const word of [planted, canary, "<filesystem", "<seclabel type='none'"]) {
        assert.ok(!xml.includes(word), `${word} in ${xml}`);
      }
      await assert.rejects(Deno.lstat(planted), Deno.errors.NotFound);
      const told = warnings.join("\n");
      for (
        const word of [
          /nvram was taken out/,
          /serial file/,
          /filesystem mount/,
          /seclabel none/,
          /sdz is empty/,
        ]
      ) {
        assert.match(told, word);
      }
    };
    await t.step("as a new VM", async () => {
      const name = `${vm.name}-new`;
      const { warnings } = await call(server, "restore_backup", {
        backupId,
        runId: run.id,
        vmId,
        name,
        pool: pool.name,
      });
      try {
        await judge(name, warnings);
      } finally {
        await virsh("undefine", name, "--nvram");
        await virsh("pool-refresh", pool.name);
      }
    });
    await t.step("in place, in the group that the VM is in now", async () => {
      await call(server, "set_group", { vmId, group: "now" });
      const { warnings } = await call(server, "restore_backup", {
        backupId,
        runId: run.id,
        vmId,
        inPlace: true,
      });
      await judge(vm.name, warnings);
      assert.equal((await call(server, "get_vm", { vmId })).group, "now");
    });
    await t.step(
      "a list of chunks made to fill the memory is damaged",
      async () => {
        await forge(folder.path, { "vda.chunks": "\n".repeat(1_000_000) });
        const { ok, run: checked } = await call(server, "verify_backup", { backupId, runId: run.id });
        assert.equal(ok, false);
        assert.match(checked.copies[0]!.verified!.message!, /list of chunks is damaged/);
        await refused(
          call(server, "restore_backup", {
            backupId,
            runId: run.id,
            vmId,
            name: `${vm.name}-x`,
            pool: pool.name,
          }),
          "BackupDamaged",
        );
      },
    );
    await t.step("a link in the place of the folder is not followed", async () => {
      await using other = await folderOf();
      await Deno.chmod(secret.path, 0o700);
      await Deno.symlink(secret.path, `${other.path}/kvm-manager-backups`);
      await refused(
        call(server, "create_backup", { name: "link", folder: other.path, targets: { all: true } }),
        "BackupFolderUnusable",
        /is no folder/,
      );
      assert.equal((await Deno.stat(secret.path)).mode! & 0o777, 0o700);
      assert.deepEqual((await Array.fromAsync(Deno.readDir(secret.path))).map(({ name }) => name), [
        "canary",
      ]);
      await Deno.remove(`${other.path}/kvm-manager-backups`);
      await Deno.mkdir(`${other.path}/kvm-manager-backups`, { mode: 0o755 });
      await Deno.symlink(canary, `${other.path}/kvm-manager-backups/repository.json.new`);
      await call(server, "create_backup", { name: "planted", folder: other.path, targets: { all: true } });
      assert.equal(await Deno.readTextFile(canary), "secret");
    });
  },
});
