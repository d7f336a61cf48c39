/** Alerts end to end: a real guest whose memory is watched, and that dies; who is told of it, and who is not. */
import assert from "node:assert/strict";
import { mailServer } from "../testbed/mail_server.ts";
import { backupFolder, chunksOf, done, runOf } from "../testbed/backups.ts";
import { testFolder } from "../testbed/folder.ts";
import { testMachine } from "../testbed/machine.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { personWith } from "../testbed/people.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { requirement } from "../testbed/skip.ts";
import type { TestServer } from "../testbed/server.ts";
import { until } from "../testbed/wait.ts";

// VMs of other tests would fire: some hang.
const ignore = await requirement("guest") !== null || await ownLibvirtd("alerts") !== null;
/** Seconds from one check to the next: the least there can be. */
const OFTEN = ["--metrics-interval", "5"];
const WITHIN = 90;

/** A web server that keeps what it is sent. */
function hook() {
  const got: { title: string; alerts: { event: string; vmName?: string; name: string }[] }[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    got.push(await request.json());
    return new Response("ok");
  });
  return {
    got,
    url: `http://127.0.0.1:${server.addr.port}/hook-with-a-secret`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Open incidents of VMs: the host of a test may be busy itself. */
const open = async (server: TestServer) =>
  (await call(server, "get_alert_history", { open: true })).filter(({ vmId }) => vmId !== undefined);

Deno.test({
  name:
    "alerts: a guest's figure fires, is told once, acknowledged, over when it stops, and a killed one has crashed",
  ignore,
  fn: async (t) => {
    await using vm = await testMachine({ purpose: "alerts", start: true });
    await using target = hook();
    await using server = await readyServer({ args: OFTEN });

    await t.step("default alerts are there", async () => {
      const names = (await call(server, "list_alerts")).map(({ id }) => id);
      for (const id of ["vm-crashed", "pool-nearly-full", "host-unreachable"]) {
        assert.ok(names.includes(id), id);
      }
    });

    await t.step("a threshold on its memory fires", async () => {
      await call(server, "create_alert_target", {
        name: "hook",
        channel: "webhook",
        url: target.url,
        privateAddresses: true,
        minSeverity: "info",
      });
      const alert = await call(server, "create_alert", {
        name: "Guest is alive",
        watches: "vm_metric",
        series: "memory_usage",
        threshold: 0,
        checks: 2,
        severity: "critical",
        scope: "vm",
        vmId: vm.uuid,
      });
      assert.deepEqual([alert.vmName, alert.firing], [vm.name, 0]);
      await until("it fires", async () => (await open(server)).length === 1, { seconds: WITHIN });
      const [incident] = await open(server);
      assert.deepEqual([incident!.vmId, incident!.state, incident!.name], [
        vm.uuid,
        "firing",
        "Guest is alive",
      ]);
      assert.match(incident!.message, /^Memory usage is \d/);
    });

    await t.step("the target is told once, and the task says so", async () => {
      await until("the message", () => Promise.resolve(target.got.length > 0), { seconds: WITHIN });
      assert.deepEqual(target.got.map(({ alerts }) => alerts.map(({ event, vmName }) => [event, vmName])), [[[
        "fired",
        vm.name,
      ]]]);
      await until(
        "the task",
        async () =>
          (await call(server, "list_jobs", {})).some(({ command, state }) =>
            command === "deliver_alerts" && state === "done"
          ),
      );
      const [shown] = await call(server, "list_alert_targets");
      assert.equal(JSON.stringify(shown).includes("secret-"), false);
      assert.equal(shown!.address, new URL(target.url).origin);
    });

    await t.step("what is silenced does not count as firing, as long as it is", async () => {
      const before = await call(server, "get_alert_summary");
      assert.ok(before.firing > 0 && before.silenced === 0, JSON.stringify(before));
      const { id: silenceId } = await call(server, "silence_alert", { minutes: 60, reason: "new disks" });
      assert.deepEqual(await call(server, "get_alert_summary"), {
        firing: 0,
        acknowledged: before.acknowledged,
        silenced: before.firing,
        worst: null,
      });
      await call(server, "end_silence", { silenceId });
      assert.deepEqual(await call(server, "get_alert_summary"), before);
    });

    await t.step("who sees another VM only, sees nothing of it, and cannot acknowledge it", async () => {
      const [incident] = await open(server);
      const stranger = await personWith(server, "stranger", [{
        role: "operator",
        on: { kind: "vm", vmId: "none" },
      }]);
      assert.deepEqual(await stranger.call("get_alert_history", {}), []);
      assert.deepEqual(await stranger.call("list_alerts"), []);
      assert.deepEqual(await stranger.call("get_alert_summary"), {
        firing: 0,
        acknowledged: 0,
        silenced: 0,
        worst: null,
      });
      await assert.rejects(
        stranger.call("acknowledge_alert", { incidentId: incident!.id }),
        /404|IncidentNotFound/,
      );
      const viewer = await personWith(server, "viewer", [{
        role: "viewer",
        on: { kind: "vm", vmId: vm.uuid },
      }]);
      assert.equal((await viewer.call("get_alert_history", {})).length, 1);
      const { firedAt } = (await open(server))[0]!;
      const found = async (wanted: Record<string, unknown>) =>
        (await call(server, "get_alert_history", wanted)).filter(({ vmId }) => vmId === vm.uuid).length;
      assert.deepEqual(
        [
          await found({ vmId: vm.uuid, hostId: "local", since: firedAt, until: firedAt }),
          await found({ vmId: vm.uuid, since: firedAt + 1 }),
          await found({ vmId: vm.uuid, until: firedAt - 1 }),
          await found({ vmId: "another" }),
          await found({ hostId: "elsewhere" }),
        ],
        [1, 0, 0, 0, 0],
      );
      await assert.rejects(viewer.call("acknowledge_alert", { incidentId: incident!.id }), /Forbidden/);
      await assert.rejects(viewer.call("list_alert_targets"), /Forbidden/);
    });

    await t.step("it is acknowledged by a form, without script", async () => {
      const [incident] = await open(server);
      const address = formHref("acknowledge_alert", { incidentId: incident!.id }, "/alerts");
      const answer = await fetch(server.url + address, { method: "POST", body: new URLSearchParams() });
      assert.match(await answer.text(), /Acknowledged/);
      assert.equal((await open(server))[0]!.state, "acknowledged");
    });

    await t.step("it is over when its QEMU is killed; that one has crashed, at once", async () => {
      Deno.kill((await vm.qemuPid())!, "SIGKILL");
      await until(
        "the crash",
        async () => (await open(server)).some(({ alertId }) => alertId === "vm-crashed"),
        { seconds: WITHIN },
      );
      await until(
        "the end",
        async () =>
          (await call(server, "get_alert_history")).some(({ name, ended }) =>
            name === "Guest is alive" && ended === "gone"
          ),
        { seconds: WITHIN },
      );
      const over = async (wanted: Record<string, unknown>) =>
        (await call(server, "get_alert_history", wanted)).filter(({ name }) => name === "Guest is alive")
          .length;
      const now = Date.now();
      assert.deepEqual(
        [
          await over({ vmId: vm.uuid, hostId: "local", until: now }),
          await over({ vmId: "another" }),
          await over({ hostId: "elsewhere" }),
          await over({ since: now }),
          await over({ until: 1 }),
        ],
        [1, 0, 0, 0, 0],
      );
    });
  },
});

Deno.test("a backup that fails fires, and one that is deleted is over; a VM without any can fire, too", async () => {
  await using folder = await testFolder();
  await using server = await readyServer({ uri: "test:///default", args: OFTEN });
  const [vm] = await call(server, "get_vms");
  await call(server, "create_alert", {
    name: "Needs a backup",
    watches: "backup_old",
    threshold: 1,
    checks: 1,
    scope: "vm",
    vmId: vm!.id,
  });
  const { id: backupId } = await call(server, "create_backup", {
    name: "nightly",
    folder: folder.path,
    targets: { tags: ["nothing-has-this-tag"] },
  });
  await call(server, "run_backup_now", { backupId });
  const openOf = async (ids: string[]) => {
    const incidents = await call(server, "get_alert_history", { open: true });
    return incidents.filter(({ watches }) => ids.includes(watches)).map(({ message }) => message).sort();
  };
  const both = ["backup_failed", "backup_old"];
  await until("both alerts", async () => (await openOf(both)).length === 2, { seconds: WITHIN });
  assert.deepEqual(await openOf(both), [
    "The last run of the backup job nightly failed",
    "There is no backup of the VM",
  ]);
  await call(server, "delete_backup", { backupId });
  await until("its end", async () => (await openOf(["backup_failed"])).length === 0, { seconds: WITHIN });
});

Deno.test({
  name: "a backup that does not pass its verification fires by itself, until one does",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "alertbackup", guest: false, disks: [{ size: "4M" }] });
    await using folder = await backupFolder();
    await run(["qemu-io", "-f", "qcow2", "-c", "write -P 7 0 1M", vm.disks[0]!]);
    await using server = await readyServer({ args: OFTEN });
    await known(server, vm.uuid);
    const { id: backupId } = await call(server, "create_backup", {
      name: "nightly",
      folder: folder.path,
      targets: { vmIds: [vm.uuid] },
    });
    const damaged = await runOf(server, backupId);
    done(damaged);
    const chunk = (await chunksOf(folder.path)).split("\n").find((line) => line.length === 64)!;
    const path = `${folder.path}/kvm-manager-backups/chunks/${chunk.slice(0, 2)}/${chunk}`;
    await Deno.writeFile(path, new Uint8Array(100).fill(1));
    assert.equal((await call(server, "verify_backup", { backupId, runId: damaged.id })).ok, false);
    const firing = async () =>
      (await call(server, "get_alert_history", { open: true })).filter(({ alertId }) =>
        alertId === "backup-test-failed"
      );
    await until("the alert", async () => (await firing()).length === 1, { seconds: WITHIN });
    assert.match(
      (await firing())[0]!.message,
      /^1 backup of the last run of the backup job nightly did not pass/,
    );
    const sound = await runOf(server, backupId, true);
    done(sound);
    assert.equal((await firing()).length, 1);
    assert.equal((await call(server, "verify_backup", { backupId, runId: sound.id })).ok, true);
    await until("its end", async () => (await firing()).length === 0, { seconds: WITHIN });
  },
});

Deno.test("alerts that make no sense are refused by their field; targets by where they are", async () => {
  await using server = await readyServer({ uri: "test:///default" });
  const base = { name: "a", watches: "vm_metric" } as const;
  await refused(call(server, "create_alert", base), "InvalidInput", /series is needed/);
  await refused(
    call(server, "create_alert", { ...base, series: "cpu_usage" }),
    "InvalidInput",
    /threshold is needed/,
  );
  const threshold = server.call("create_alert", { ...base, series: "cpu_usage", threshold: "NaN" });
  await refused(threshold as Promise<unknown>, "InvalidInput", /threshold/);
  await refused(
    call(server, "create_alert", { ...base, series: "cpu_usage", threshold: 90, scope: "vm", vmId: "none" }),
    "VmNotFound",
  );
  await refused(call(server, "get_alert", { alertId: "none" }), "AlertNotFound");
  await refused(call(server, "acknowledge_alert", { incidentId: "none" }), "IncidentNotFound");
  const target = { name: "t", channel: "webhook" } as const;
  await refused(call(server, "create_alert_target", target), "InvalidInput", /url is needed/);
  await refused(
    call(server, "create_alert_target", { ...target, url: "https://u:p@host/x" }),
    "InvalidInput",
    /user name/,
  );
  // Where nothing would be sent is told at once, not once an alert fires
  const loopback = { ...target, url: "http://127.0.0.1:9/x" };
  await refused(
    call(server, "create_alert_target", loopback),
    "AlertTargetRefused",
    /127\.0\.0\.1 is a loopback address.*Allow private addresses/,
  );
  await refused(
    call(server, "create_alert_target", {
      ...target,
      url: "http://169.254.169.254/x",
      privateAddresses: true,
    }),
    "AlertTargetRefused",
    /link-local/,
  );
  await refused(
    call(server, "create_alert_target", {
      name: "m",
      channel: "email",
      smtpHost: "127.0.0.1",
      mailFrom: "a@b.example",
      mailTo: ["c@b.example"],
    }),
    "AlertTargetRefused",
    /loopback/,
  );
  const { id: targetId } = await call(server, "create_alert_target", { ...loopback, privateAddresses: true });
  await refused(
    call(server, "update_alert_target", { targetId, privateAddresses: false }),
    "AlertTargetRefused",
    /loopback/,
  );
  await call(server, "update_alert_target", { targetId, name: "renamed" });
  // A name that is not known now may be later
  await call(server, "create_alert_target", {
    ...target,
    name: "later",
    url: "http://no-such-host.invalid/x",
  });
  const mail = { name: "m", channel: "email", smtpHost: "mail.example", mailFrom: "a@b.example" } as const;
  for (const to of ["a@b.example\r\nBcc: c@d.example", "a b@c.example", "<a@b.example>"]) {
    await refused(call(server, "create_alert_target", { ...mail, mailTo: [to] }), "InvalidInput", /mailTo/);
  }
  const row = (await call(server, "get_activity", {})).find(({ action }) => action === "create_alert_target");
  assert.ok(row);
});

Deno.test("mails are in the language of the host", async () => {
  await using mail = await mailServer({ password: "of-the-mail" });
  await using server = await readyServer({ uri: "test:///default", env: { LC_ALL: "de_DE.UTF-8" } });
  const { id: targetId } = await call(server, "create_alert_target", {
    name: "ops",
    channel: "email",
    smtpHost: "localhost",
    smtpPort: mail.port,
    smtpSecurity: "none",
    smtpUser: "kvm",
    secret: "of-the-mail",
    mailFrom: "kvm@host.example",
    mailTo: ["ops@host.example"],
    privateAddresses: true,
  });
  await call(server, "test_alert_target", { targetId });
  assert.match(mail.got[0]!.data, /^Subject: Testnachricht \(/m);
  assert.match(mail.got[0]!.data, /Dies ist ein Test\. Alarme von KVM Manager kommen hier an\./);
});

Deno.test("a test message arrives by mail, and its password stands nowhere afterwards", async () => {
  const secret = "plant-ed-smtp-secret";
  await using mail = await mailServer({ password: secret });
  await using server = await readyServer({ uri: "test:///default", logLevel: "debug" });
  const { id: targetId, hasSecret } = await call(server, "create_alert_target", {
    name: "ops",
    channel: "email",
    smtpHost: "localhost",
    smtpPort: mail.port,
    smtpSecurity: "none",
    smtpUser: "kvm",
    secret,
    mailFrom: "kvm@host.example",
    mailTo: ["ops@host.example"],
    privateAddresses: true,
  });
  assert.equal(hasSecret, true);
  await call(server, "test_alert_target", { targetId });
  assert.deepEqual(mail.got.map(({ to, user }) => [to, user]), [[["ops@host.example"], "kvm"]]);
  assert.match(mail.got[0]!.data, /^Subject: Test message/m);
  await refused(
    call(server, "update_alert_target", { targetId, smtpHost: "127.0.0.1" }),
    "InvalidInput",
    /secret must be given again/,
  );
  const after = await call(server, "update_alert_target", { targetId, name: "On call", minSeverity: "info" });
  assert.deepEqual([after.name, after.minSeverity, after.hasSecret], ["On call", "info", true]);
  await call(server, "test_alert_target", { targetId });
  assert.deepEqual(mail.got.map(({ user }) => user), ["kvm", "kvm"]);
  const told = JSON.stringify([
    await call(server, "list_alert_targets"),
    await call(server, "get_activity", {}),
    await call(server, "list_jobs", {}),
    server.log(),
  ]);
  assert.equal(told.includes(secret), false);
  assert.equal(told.includes(btoa(secret)), false);
  const audit = await call(server, "get_audit_log", {});
  assert.match(JSON.stringify(audit), /create_alert_target/);
  assert.equal(JSON.stringify(audit).includes(secret), false);
});
