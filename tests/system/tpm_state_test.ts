/** The state of an emulated TPM: in backups, restored, cloned, left out of templates; and what a kill leaves of it. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { undefinedIfMissing } from "../../agent/machine/files.ts";
import { MOST_TPM_BYTES, TPM_MODES } from "../../lib/formats/swtpm.ts";
import { PROJECT } from "../../scripts/project.ts";
import { backupFolder, runOf } from "../testbed/backups.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testFolder } from "../testbed/folder.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { call, readyServer, refused, shows } from "../testbed/product.ts";
import { removeDomain } from "../testbed/removal.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { keepInTpm, keptInTpm, noOrphanTpms, permallOf, tpmFolders, tpmOf } from "../testbed/tpm.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("tpm") !== null;
/** How many kills of each kind of work. */
const KILLS = Number(Deno.env.get("KVMM_KILLS") ?? 3);

/** A user who owns nothing. */
const NOBODY = 65_534;

const digestOf = async (bytes: Uint8Array<ArrayBuffer>) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();

/** A name for VMs, which are removed in the end with these endings. */
async function vmNames(...endings: string[]): Promise<{ name: string } & AsyncDisposable> {
  const name = await testName("tpm");
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      for (const ending of ["", ...endings]) await removeDomain(`${name}${ending}`);
      await releaseName(name);
    },
  };
}

const isOff = (server: TestServer, vmId: string) => shows(server, vmId, ({ state }) => state === "stopped");

/** A VM with a TPM that was started once, and keeps a word since. */
async function vmWithTpm(
  server: TestServer,
  { name, pool, word, ...more }: { name: string; pool: string; word: string; memoryMb?: number },
): Promise<string> {
  const { id: vmId } = await call(server, "create_vm", {
    name,
    memoryMb: 128,
    tpm: true,
    nics: [],
    disks: [{ sizeGb: 1, pool }],
    start: true,
    ...more,
  });
  await until("its TPM", () => exists(permallOf(vmId)));
  await call(server, "force_stop_vm", { vmId });
  await isOff(server, vmId);
  await keepInTpm(vmId, word, true);
  return vmId;
}

/** Starts a VM, so that libvirt gives its TPM to swtpm, and switches it off. */
async function startOnce(server: TestServer, vmId: string): Promise<void> {
  await call(server, "start_vm", { vmId });
  await shows(server, vmId, ({ state }) => state === "running");
  await call(server, "force_stop_vm", { vmId });
  await isOff(server, vmId);
}

/** Waits until the firmware of a VM has done with its TPM. */
async function quiet(vmId: string): Promise<void> {
  let last = "", since = performance.now();
  await until("its TPM to be left alone", async () => {
    const now = await digestOf(await Deno.readFile(permallOf(vmId)));
    if (now !== last) [last, since] = [now, performance.now()];
    return performance.now() - since > 4000;
  }, { seconds: 60, every: 200 });
}

/** Waits until something of a TPM is written that was not there before. */
async function written(vmId: string | undefined, before: readonly string[]): Promise<void> {
  const look = () => vmId === undefined ? tpmFolders() : namesIn(`${tpmOf(vmId)}/tpm2`);
  await until("a TPM's files", async () => (await look()).some((name) => !before.includes(name)), {
    every: 1,
    seconds: 20,
  });
}

/** The first disk of a VM. */
const diskOf = async (name: string): Promise<string> =>
  /<source file='([^']+)'/.exec(await virsh("dumpxml", name, "--inactive"))![1]!;

/** Waits until nothing is open of operations. */
async function settled(dataDir: string): Promise<void> {
  using database = new DatabaseSync(`${dataDir}/kvm-manager.db`, { readOnly: true });
  const open = () => database.prepare("SELECT record FROM operations").all();
  await until("operations to be settled", () => Promise.resolve(open().length === 0), {
    seconds: 60,
    lastSeen: () => JSON.stringify(open()),
  });
}

/** Waits until a TPM has this state, whole, and no other file lies next to it. */
async function keeps(vmId: string, word: string, about = ""): Promise<void> {
  let found = "";
  await until(`the TPM to keep ${word}`, async () => {
    const names = (await namesIn(`${tpmOf(vmId)}/tpm2`)).filter((name) => name !== ".lock");
    found = `${names.join(" ")}: ${await keptInTpm(permallOf(vmId))}`;
    return found === `tpm2-00.permall: ${word}`;
  }, { seconds: 30, lastSeen: () => `${found} ${about}` });
}

/** Reads the state of one TPM and gives it to another, as a user with these capabilities alone. */
async function asNobody(capabilities: readonly string[], from: string, to: string) {
  await using cache = await testFolder();
  await Deno.chmod(cache.path, 0o777);
  const script = `
    import { localMachine } from "./agent/machine/machine.ts";
    import { putTpmState, readTpmState } from "./agent/vm/lifecycle/tpm_state.ts";
    import { XmlDocument } from "./lib/formats/xml/edit.ts";
    const text = "<domain><devices><tpm><backend type='emulator'/></tpm></devices></domain>";
    const host = { link: { machine: localMachine("qemu:///system") } };
    const { files, fault } = await readTpmState(host, new XmlDocument(text), "${from}");
    if (files) await putTpmState({ add: () => ({ know() {}, drop() {} }) }, "${to}", files);
    console.log(JSON.stringify({ files: files?.map(({ name }) => name), fault }));`;
  const list = ["-all", ...capabilities].join(",");
  const said = await run([
    ...["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"],
    ...[`--inh-caps=${list}`, `--ambient-caps=${list}`, "--"],
    ...[Deno.execPath(), "run", "--allow-all", "--no-check", "-"],
  ], { cwd: PROJECT, env: { DENO_DIR: cache.path }, stdin: script });
  return JSON.parse(said);
}

/** The only copy in a folder of backups, whose manifest can be written again. */
async function copyIn(folder: string) {
  const copies = `${folder}/kvm-manager-backups/copies`;
  const [{ name }] = await Array.fromAsync(Deno.readDir(copies)) as [Deno.DirEntry];
  const path = `${copies}/${name}`;
  const manifest = JSON.parse(await Deno.readTextFile(`${path}/manifest.json`));
  const forge = async (change: object) => {
    const text = new TextEncoder().encode(JSON.stringify({ ...manifest, ...change }));
    await Deno.writeFile(`${path}/manifest.json`, text);
    await Deno.writeTextFile(`${path}/manifest.json.sha256`, await digestOf(text));
  };
  return { path, manifest, forge };
}

const namesIn = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();

Deno.test({
  name: "the state of a TPM is backed up, and comes back: as new, in place, on a new host, in a boot test",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using pool = await testPool("tpm");
    await using own = await vmNames("-new", "-old", "-found", "-bad");
    await using folder = await backupFolder();
    const vmId = await vmWithTpm(server, { name: own.name, pool: pool.name, word: "sealed-1" });
    const { id: backupId } = await call(server, "create_backup", {
      name: own.name,
      folder: folder.path,
      targets: { vmIds: [vmId] },
    });
    const run1 = await runOf(server, backupId);
    assert.equal(run1.state, "done", JSON.stringify(run1));
    const runId = run1.id, copy = await copyIn(folder.path);
    const restore = (more: object) =>
      call(server, "restore_backup", { backupId, runId, vmId, ...more, pool: pool.name });
    const asNew = (ending: string) => restore({ name: `${own.name}${ending}` });
    const forget = (id: string) =>
      call(server, "delete_vm", { vmId: id, deleteDisks: true, permanently: true });

    await t.step("the copy has it, with its checksum, and other users may not read it", async () => {
      assert.equal(run1.copies[0]!.message, null);
      const file = `${copy.path}/tpm2-00.permall`, bytes = await Deno.readFile(file);
      assert.deepEqual(copy.manifest.tpm, [{ name: "tpm2-00.permall", digest: await digestOf(bytes) }]);
      assert.deepEqual(bytes, await Deno.readFile(permallOf(vmId)));
      assert.equal(((await Deno.stat(file)).mode ?? 0) & 0o077, 0);
      assert.equal((await call(server, "verify_backup", { backupId, runId })).ok, true);
    });
    await t.step("as a new VM: swtpm takes it as its own, and it goes with the VM", async () => {
      const { vmId: id, warnings } = await asNew("-new");
      assert.deepEqual(warnings, []);
      assert.notEqual(id, vmId);
      assert.equal(((await Deno.stat(tpmOf(id))).mode ?? 0) & 0o777, TPM_MODES.vm);
      assert.equal(((await Deno.stat(permallOf(id))).mode ?? 0) & 0o777, TPM_MODES.file);
      assert.equal(await keptInTpm(permallOf(id)), "sealed-1");
      await startOnce(server, id);
      assert.equal((await Deno.stat(permallOf(id))).uid, (await Deno.stat(permallOf(vmId))).uid);
      assert.equal(await keptInTpm(permallOf(id)), "sealed-1");
      await forget(id);
      assert.equal(await exists(tpmOf(id)), false);
    });
    await t.step("in place: what it keeps now gives way, all of it", async () => {
      await keepInTpm(vmId, "sealed-2", false);
      await Deno.writeTextFile(`${tpmOf(vmId)}/tpm2/tpm2-00.volatilestate`, "later");
      const { warnings } = await call(server, "restore_backup", { backupId, runId, vmId, inPlace: true });
      assert.deepEqual(warnings, []);
      assert.equal(await keptInTpm(permallOf(vmId)), "sealed-1");
      assert.deepEqual(await namesIn(`${tpmOf(vmId)}/tpm2`), [".lock", "tpm2-00.permall"]);
      await startOnce(server, vmId);
      assert.equal(await keptInTpm(permallOf(vmId)), "sealed-1");
    });
    await t.step("in place, of a VM whose TPM has no state: it has one again", async () => {
      await Deno.remove(tpmOf(vmId), { recursive: true });
      await call(server, "restore_backup", { backupId, runId, vmId, inPlace: true });
      assert.equal(await keptInTpm(permallOf(vmId)), "sealed-1");
      await startOnce(server, vmId);
    });
    await t.step("a new host with an empty database has it from the folder", async () => {
      await using other = await readyServer();
      const { id } = await call(other, "create_backup", {
        name: "found",
        folder: folder.path,
        targets: { vmIds: [vmId] },
      });
      const name = `${own.name}-found`;
      const made = await call(other, "restore_backup", {
        backupId: id,
        runId,
        vmId,
        name,
        pool: pool.name,
      });
      assert.equal(await keptInTpm(permallOf(made.vmId)), "sealed-1");
      await call(other, "delete_vm", { vmId: made.vmId, deleteDisks: true, permanently: true });
    });
    await t.step("a boot test has a copy of it, of which nothing stays", async () => {
      const before = await tpmFolders();
      let seen: string | undefined;
      const looking = until("the copy of its TPM", async () => {
        for (const name of await tpmFolders()) {
          if (before.includes(name) || !await exists(permallOf(name))) continue;
          // Another test's TPM keeps nothing there, and may go while it is looked at.
          seen = await keptInTpm(permallOf(name)).catch(() => undefined);
          if (seen === "sealed-1") return true;
        }
        return false;
      }, { every: 10, seconds: 60 });
      await call(server, "verify_backup", {
        backupId,
        runId,
        kind: "boot",
        seconds: 10,
        pool: pool.name,
      });
      await looking;
      assert.equal(seen, "sealed-1");
      await noOrphanTpms(before);
    });
    await t.step("a copy of before there was such a thing: that is said", async () => {
      await copy.forge({ tpm: undefined });
      const { vmId: id, warnings } = await asNew("-old");
      assert.deepEqual(warnings, ["The copy has no state of its TPM: it begins empty"]);
      assert.equal(await exists(tpmOf(id)), false);
      await forget(id);
      await keepInTpm(vmId, "sealed-3", false);
      const inPlace = await call(server, "restore_backup", { backupId, runId, vmId, inPlace: true });
      assert.deepEqual(inPlace.warnings, ["The copy has no state of its TPM: it keeps the one it has now"]);
      assert.equal(await keptInTpm(permallOf(vmId)), "sealed-3");
    });
    await t.step(
      "one that is damaged, too large or a path ends the restore, and the VM keeps its own",
      async () => {
        const folders = await tpmFolders(), file = `${copy.path}/tpm2-00.permall`;
        const bytes = await Deno.readFile(file), large = new Uint8Array(MOST_TPM_BYTES + 1);
        const ends = async (reason: RegExp) => {
          await refused(asNew("-bad"), "BackupDamaged", reason);
          await refused(
            call(server, "restore_backup", { backupId, runId, vmId, inPlace: true }),
            "BackupDamaged",
            reason,
          );
          await noOrphanTpms(folders);
          assert.deepEqual(await namesIn(`${tpmOf(vmId)}/tpm2`), [".lock", "tpm2-00.permall"]);
          assert.equal(await keptInTpm(permallOf(vmId)), "sealed-3");
          assert.ok(!(await virsh("list", "--all", "--name")).includes(`${own.name}-bad`));
        };
        await copy.forge({});
        await Deno.writeFile(file, bytes.with(bytes.length - 5, bytes.at(-5)! ^ 0xff));
        await ends(/tpm2-00\.permall is damaged/);
        const { ok, run: checked } = await call(server, "verify_backup", { backupId, runId });
        assert.equal(ok, false);
        assert.match(checked.copies[0]!.verified!.message!, /tpm2-00\.permall is damaged/);
        await Deno.writeFile(file, large);
        await copy.forge({ tpm: [{ name: "tpm2-00.permall", digest: await digestOf(large) }] });
        await ends(/too large/);
        await copy.forge({ tpm: [{ name: "../../../tpm2-00.permall", digest: await digestOf(bytes) }] });
        await ends(/manifest is damaged/);
        await Deno.writeFile(file, bytes);
        await copy.forge({});
      },
    );
    await t.step("in an encrypted target nothing of it is read, and it comes back", async () => {
      await using sealed = await backupFolder();
      const { id: backupTargetId } = await call(server, "create_backup_target", {
        name: own.name,
        kind: "folder",
        folder: sealed.path,
        passphrase: "correct horse battery staple",
      });
      const { id: sealedId } = await call(server, "create_backup", {
        name: `${own.name}-sealed`,
        backupTargetId,
        targets: { vmIds: [vmId] },
      });
      const done = await runOf(server, sealedId);
      assert.equal(done.state, "done", JSON.stringify(done));
      const paths = (await run(["find", sealed.path, "-type", "f"])).trim().split("\n");
      const state = new TextDecoder("latin1").decode((await Deno.readFile(permallOf(vmId))).slice(64, 128));
      for (const path of paths) {
        assert.doesNotMatch(path, /tpm/);
        assert.ok(!new TextDecoder("latin1").decode(await Deno.readFile(path)).includes(state), path);
      }
      const { vmId: id } = await call(server, "restore_backup", {
        backupId: sealedId,
        runId: done.id,
        vmId,
        name: `${own.name}-new`,
        pool: pool.name,
      });
      assert.equal(await keptInTpm(permallOf(id)), "sealed-3");
      await forget(id);
    });
    await t.step("with the VM its own goes", async () => {
      await forget(vmId);
      assert.equal(await exists(tpmOf(vmId)), false);
    });
  },
});

Deno.test({
  name:
    "a VM that runs, or was never started, is backed up with what its TPM has; what cannot be read is said",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using pool = await testPool("tpm");
    await using own = await vmNames("-new", "-2");
    await using folder = await backupFolder();
    const vmId = await vmWithTpm(server, { name: own.name, pool: pool.name, word: "sealed-1" });
    const { id: backupId } = await call(server, "create_backup", {
      name: own.name,
      folder: folder.path,
      targets: { vmIds: [vmId] },
    });
    await t.step("running", async () => {
      await call(server, "start_vm", { vmId });
      await shows(server, vmId, ({ state }) => state === "running");
      await quiet(vmId);
      const { id: runId, copies, state } = await runOf(server, backupId);
      assert.deepEqual([state, copies[0]!.message, copies[0]!.consistency], ["done", null, "crash"]);
      const { vmId: id } = await call(server, "restore_backup", {
        backupId,
        runId,
        vmId,
        name: `${own.name}-new`,
        pool: pool.name,
      });
      assert.deepEqual(await Deno.readFile(permallOf(id)), await Deno.readFile(permallOf(vmId)));
      assert.equal(await keptInTpm(permallOf(id)), "sealed-1");
      await call(server, "delete_vm", { vmId: id, deleteDisks: true, permanently: true });
      await call(server, "force_stop_vm", { vmId });
      await isOff(server, vmId);
    });
    await t.step(
      "what swtpm's user has put there in its place is not followed, and that is said",
      async () => {
        const permall = permallOf(vmId), aside = `${tpmOf(vmId)}/aside`;
        await Deno.rename(permall, aside);
        await Deno.symlink("/etc/shadow", permall);
        const { copies } = await runOf(server, backupId);
        assert.match(copies[0]!.message!, /The state of its TPM is not in it: .*no regular file/);
        await refused(
          call(server, "clone_vm", { vmId, name: `${own.name}-2` }),
          "CloneFailed",
          /state of its TPM cannot be copied.*tpm "new"/,
        );
        await Deno.remove(permall);
        await Deno.rename(aside, permall);
      },
    );
    await t.step(
      "without root's rights it may not be read, which is said; the service's are enough",
      async () => {
        const { id } = await call(server, "create_vm", {
          name: `${own.name}-2`,
          memoryMb: 128,
          tpm: true,
          nics: [],
          disks: [],
        });
        assert.deepEqual(await asNobody([], vmId, id), {
          fault: `KVM Manager may not read ${tpmOf(vmId)}/tpm2`,
        });
        const { files } = await asNobody(["+dac_read_search", "+dac_override"], vmId, id);
        assert.deepEqual(files, ["tpm2-00.permall"]);
        assert.equal((await Deno.stat(permallOf(id))).uid, NOBODY);
        await startOnce(server, id);
        assert.equal((await Deno.stat(permallOf(id))).uid, (await Deno.stat(permallOf(vmId))).uid);
        assert.equal(await keptInTpm(permallOf(id)), "sealed-1");
        await call(server, "delete_vm", { vmId: id, deleteDisks: true, permanently: true });
        assert.equal(await exists(tpmOf(id)), false);
      },
    );
    await t.step("never started", async () => {
      await Deno.remove(tpmOf(vmId), { recursive: true });
      const { id: runId, copies } = await runOf(server, backupId);
      assert.equal(copies[0]!.message, null);
      const { vmId: id, warnings } = await call(server, "restore_backup", {
        backupId,
        runId,
        vmId,
        name: `${own.name}-new`,
        pool: pool.name,
      });
      assert.deepEqual(warnings, []);
      assert.equal(await exists(tpmOf(id)), false);
      await startOnce(server, id);
      await call(server, "delete_vm", { vmId: id, deleteDisks: true, permanently: true });
    });
    await call(server, "delete_vm", { vmId, deleteDisks: true, permanently: true });
  },
});

Deno.test({
  name:
    "a clone has a copy of the TPM's state, or a new TPM where that is asked for; of a template it is new",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using pool = await testPool("tpm");
    await using own = await vmNames("-full", "-linked", "-fresh", "-form", "-made");
    const vmId = await vmWithTpm(server, { name: own.name, pool: pool.name, word: "sealed-1" });
    const forget = (id: string) =>
      call(server, "delete_vm", { vmId: id, deleteDisks: true, permanently: true });
    for (const [ending, more] of [["-full", {}], ["-linked", { linked: true, tpm: "copy" }]] as const) {
      const { vmId: id } = await call(server, "clone_vm", { vmId, name: `${own.name}${ending}`, ...more });
      assert.equal(await keptInTpm(permallOf(id)), "sealed-1");
      await startOnce(server, id);
      await keepInTpm(id, "its-own-", false);
      assert.equal(await keptInTpm(permallOf(vmId)), "sealed-1");
      await forget(id);
      assert.equal(await exists(tpmOf(id)), false);
    }
    const fresh = await call(server, "clone_vm", { vmId, name: `${own.name}-fresh`, tpm: "new" });
    assert.equal(await exists(tpmOf(fresh.vmId)), false);
    await startOnce(server, fresh.vmId);
    await assert.rejects(keptInTpm(permallOf(fresh.vmId)), /the TPM says 0x28b/); // no such handle
    const [job] = (await call(server, "list_jobs")).filter(({ command }) => command === "clone_vm");
    const { log } = await call(server, "get_job", { jobId: job!.id });
    assert.ok(log.some(({ text }) => text.includes("gets a new, empty TPM")));
    await forget(fresh.vmId);
    // The form, without script.
    const form = `${server.url}/vms/${vmId}/clone`;
    assert.match(await (await fetch(form)).text(), /<input type="radio" name="tpm" value="copy" checked/);
    const body = new URLSearchParams({ name: `${own.name}-form`, disks: "full", tpm: "new" });
    const sent = await fetch(form, { method: "POST", body, redirect: "manual" });
    await sent.body?.cancel();
    const byForm = /\/vms\/([^?]+)$/.exec(sent.headers.get("location") ?? "")?.[1];
    assert.equal(await exists(tpmOf(byForm!)), false);
    await call(server, "update_vm", { vmId: byForm!, tpm: null });
    assert.doesNotMatch(await (await fetch(`${server.url}/vms/${byForm}/clone`)).text(), /name="tpm"/);
    await forget(byForm!);
    const template = await call(server, "create_template", { vmId, name: own.name });
    const { vms: [made] } = await call(server, "create_vm_from_template", {
      templateId: template.id,
      name: `${own.name}-made`,
    });
    assert.equal(await exists(tpmOf(made!.vmId)), false);
    assert.match(await virsh("dumpxml", made!.name, "--inactive"), /<tpm /);
    await forget(made!.vmId);
    await call(server, "delete_template", { templateId: template.id });
    await forget(vmId);
  },
});

Deno.test({
  name: "KVM Manager killed in the middle leaves no TPM without its VM, and no VM without its TPM",
  ignore,
  fn: async (t) => {
    await using data = await testFolder();
    await using stack = new AsyncDisposableStack();
    const dataDir = `${data.path}/data`, start = () => readyServer({ dataDir });
    let server = await start();
    stack.defer(() => server[Symbol.asyncDispose]());
    await using pool = await testPool("tpm");
    const endings = Array.from({ length: KILLS }, (_, index) => [`-c${index}`, `-r${index}`]).flat();
    await using own = await vmNames(...endings);
    await using folder = await backupFolder();
    const before = await tpmFolders();
    const vmId = await vmWithTpm(server, { name: own.name, pool: pool.name, word: "sealed-1" });
    const { id: backupId } = await call(server, "create_backup", {
      name: own.name,
      folder: folder.path,
      targets: { vmIds: [vmId] },
    });
    const { id: runId } = await runOf(server, backupId);
    const works = {
      "a clone": (n: number) => call(server, "clone_vm", { vmId, name: `${own.name}-c${n}` }),
      "a restore as new": (n: number) =>
        call(server, "restore_backup", { backupId, runId, vmId, name: `${own.name}-r${n}`, pool: pool.name }),
      "a restore in place": () => call(server, "restore_backup", { backupId, runId, vmId, inPlace: true }),
    };
    for (const [what, work] of Object.entries(works)) {
      await t.step(what, async () => {
        const began = performance.now(), isInPlace = what === "a restore in place";
        await work(KILLS - 1);
        const took = performance.now() - began;
        for (let n = 0; n < KILLS - 1; n++) {
          if (isInPlace) await keepInTpm(vmId, "sealed-2", false);
          const disk = await diskOf(own.name);
          const seen = isInPlace ? await namesIn(`${tpmOf(vmId)}/tpm2`) : await tpmFolders();
          const end = work(n).then(() => "done", (error) => String(error));
          // At any moment, and right when the state is written.
          if (n % 2 === 1) await delay(took * Math.random());
          else await Promise.race([end, written(isInPlace ? vmId : undefined, seen)]);
          await server.kill();
          const said = await end;
          await server[Symbol.asyncDispose]().catch(() => {/* it was killed */});
          server = await start();
          await settled(dataDir);
          await noOrphanTpms(before, said);
          for (const { id, name } of await call(server, "get_vms")) {
            if (!name.startsWith(own.name)) continue;
            // The state is the one that belongs to the disks.
            const isOld = isInPlace && id === vmId && await diskOf(name) === disk;
            await keeps(id, isOld ? "sealed-2" : "sealed-1", said);
          }
        }
      });
    }
    for (const { id, name } of await call(server, "get_vms")) {
      if (!name.startsWith(own.name)) continue;
      await call(server, "delete_vm", { vmId: id, deleteDisks: true, permanently: true });
    }
    await noOrphanTpms(before);
  },
});

Deno.test({
  name:
    "a restore in place that was cut short goes on with the TPM where the VM has the restored disks, else back",
  ignore,
  fn: async () => {
    await using data = await testFolder();
    const dataDir = `${data.path}/data`;
    await using pool = await testPool("tpm");
    await using own = await vmNames();
    let vmId = "";
    {
      await using server = await readyServer({ dataDir });
      vmId = await vmWithTpm(server, { name: own.name, pool: pool.name, word: "sealed-1" });
    }
    const disk = await diskOf(own.name),
      permall = permallOf(vmId),
      stale = `${tpmOf(vmId)}/tpm2/tpm2-00.savestate`;
    for (const [disks, expected] of [[["/elsewhere.qcow2"], "sealed-2"], [[disk], "sealed-1"]] as const) {
      const fresh = `${permall}.restored-1`;
      await keepInTpm(vmId, "sealed-1", false);
      await Deno.copyFile(permall, fresh);
      await keepInTpm(vmId, "sealed-2", false);
      await Deno.writeTextFile(stale, "later");
      const { dev, ino } = await Deno.lstat(fresh), at = Date.now();
      const steps = [
        { kind: "file-made", path: fresh, file: { dev, ino: Number(ino) }, at },
        {
          kind: "state-replaced",
          uuid: vmId,
          name: own.name,
          disks,
          moves: [[fresh, permall]],
          gone: [stale],
        },
      ];
      const record = {
        id: crypto.randomUUID(),
        command: "restore_backup",
        subject: own.name,
        vmId,
        actor: "tester",
        keys: [`vm:${vmId}`],
        host: "local",
        uri: "qemu:///system",
        startedAt: at,
        steps,
      };
      {
        using database = new DatabaseSync(`${dataDir}/kvm-manager.db`);
        database.prepare("INSERT INTO operations (id, host, started_at, record) VALUES (?, ?, ?, ?)")
          .run(record.id, record.host, at, JSON.stringify(record));
      }
      await using server = await readyServer({ dataDir });
      await settled(dataDir);
      assert.equal(await exists(fresh), false);
      assert.equal(await exists(stale), expected === "sealed-2", expected);
      await undefinedIfMissing(Deno.remove(stale));
      await keeps(vmId, expected);
      await shows(server, vmId, ({ operation }) => operation === undefined);
    }
  },
});
