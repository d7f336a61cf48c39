/** Verbs of the command line that begin work which goes on after their answer: they wait for it, and end as it ends. */
import assert from "node:assert/strict";
import { CommandLine, type Said } from "../testbed/command_line.ts";
import { backupFolder } from "../testbed/backups.ts";
import { testMachine } from "../testbed/machine.ts";
import { removeDomain } from "../testbed/removal.ts";
import { until } from "../testbed/wait.ts";
import { Mirror } from "../testbed/mirror.ts";
import { testPool } from "../testbed/pool.ts";
import { call, known, knownPool, readyServer } from "../testbed/product.ts";

const NO_SUM = "0".repeat(64);

Deno.test("image download ends as the download ends", async (t) => {
  await using pool = await testPool("cli-jobs");
  await using server = await readyServer();
  await knownPool(server, pool.name);
  await call(server, "set_image_policy", { hosts: ["127.0.0.1"] });
  await using mirror = new Mirror();
  const cli = new CommandLine({ KVMM_SOCKET: server.socket });
  const body = new Uint8Array(2 ** 20);
  body.set([0x55, 0xaa], 510);
  mirror.files.set("/slow.img", { body, pace: 20 });
  mirror.files.set("/quick.img", { body });
  const page = new TextEncoder().encode(
    "<!DOCTYPE html>\n<html><head><title>Checking your browser</title></head></html>",
  );
  mirror.files.set("/page.iso", { body: page });
  const failure = new TextEncoder().encode('{"error": "no such file"}');
  mirror.files.set("/failure.img", { body: failure });
  const download = (file: string, ...more: string[]) =>
    cli.run(["image", "download", "--url", `${mirror.url}/${file}`, "--pool", pool.name, ...more]);

  for (const file of ["slow.img", "quick.img"]) {
    await t.step(`what is not what was published: ${file}`, async () => {
      const said = await download(file, "--sha256", NO_SUM);
      assert.equal(said.status, 5, said.err);
      assert.match(said.err, /is not what was published/);
    });
  }
  await t.step("an upper-case sum is the same sum, and what is whole ends well", async () => {
    const sum = Array.from(
      new Uint8Array(await crypto.subtle.digest("SHA-256", body)),
      (byte) => byte.toString(16).padStart(2, "0"),
    ).join("");
    const said = await download("slow.img", "--sha256", sum.toUpperCase());
    assert.equal(said.status, 0, said.err);
  });
  await t.step("a web page is no image, whatever its name", async () => {
    for (const file of ["page.iso", "failure.img"]) {
      const said = await download(file);
      assert.notEqual(said.status, 0, said.err);
      assert.match(said.err, /a web page/);
    }
    const names = (await call(server, "get_volumes", { pool: pool.name })).map(({ name }) => name);
    assert.deepEqual(names, ["slow.img"]);
  });
  await t.step("without waiting, it says which job it is", async () => {
    const said = await download("quick.img", "--sha256", NO_SUM, "--no-wait");
    // It may have failed before it could be left to itself.
    if (said.status === 0) assert.match(said.err, /as the job/);
    else assert.equal(said.status, 5);
  });
});

Deno.test("backup run and schedule run wait for what they begin, and end as it ends", async (t) => {
  await using server = await readyServer();
  await using folder = await backupFolder();
  await using vm = await testMachine({ purpose: "cli-runs", guest: false, disks: [{}] });
  const cli = new CommandLine({ KVMM_SOCKET: server.socket });
  await known(server, vm.uuid);
  const backup = "nightly", schedule = "evening", targets = { vmIds: [vm.uuid] };
  await call(server, "create_backup", { name: backup, folder: folder.path, targets });
  await call(server, "create_schedule", {
    name: schedule,
    action: "stop",
    frequency: "daily",
    time: "04:00",
    timeZone: "UTC",
    targets,
  });
  const state = (said: Said) => (JSON.parse(said.out) as { state: string }).state;
  await t.step("what can be done", async () => {
    for (const words of [["backup", "run", backup], ["schedule", "run", schedule]]) {
      const said = await cli.run([...words, "-o", "json"]);
      assert.equal(said.status, 0, said.err);
      assert.equal(state(said), "done");
      const left = await cli.run([...words, "--no-wait"]);
      assert.equal(left.status, 0, left.err);
      assert.match(left.err, /as the job [0-9a-f-]+/);
      await until("it to end", async () => (await call(server, "list_jobs", { open: true })).length === 0);
    }
  });
  await t.step("what fails", async () => {
    await removeDomain(vm.name);
    await until(
      "it to be gone",
      async () => (await call(server, "get_vms")).every(({ id }) => id !== vm.uuid),
    );
    for (const words of [["backup", "run", backup], ["schedule", "run", schedule]]) {
      const said = await cli.run(words);
      assert.notEqual(said.status, 0, `${words}: ${said.out}`);
      assert.doesNotMatch(said.err, /must be a text|at file:/);
    }
  });
});
