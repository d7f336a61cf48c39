/** gRPC of one KVM Manager for VMs of another: Google's Python client here, the real VM there, a link between. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { exists, run } from "../testbed/process.ts";
import { GrpcClient } from "../testbed/grpc.ts";
import { Caller, callerAs, GRPC_LISTEN, KVM, reads, SEED, typed } from "../testbed/grpc_caller.ts";
import { testMachine } from "../testbed/machine.ts";
import { asRoot, personWith } from "../testbed/people.ts";
import { testPool } from "../testbed/pool.ts";
import { call, known, knownPool, ownServer, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { startTlsServer } from "../testbed/tls.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest", "grpcClient") !== null;
const MIB = 1024 ** 2;

Deno.test({
  name: "grpc_linked: unary calls, events, consoles, content, deadlines and cancelling reach a linked host",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("grpc-linked");
    await using vm = await testMachine({ purpose: "grpc-linked", start: true });
    await using far = await startTlsServer({ uri: "qemu:///system" });
    await using near = await ownServer({ uri: "test:///default", args: GRPC_LISTEN });
    await using client = await GrpcClient.start();
    const vmId = vm.uuid, host = "far";
    await shows(far.server, vmId, ({ state }) => state === "running");
    await knownPool(far.server, pool.name);
    const { invitation } = await call(far.server, "invite_host", { address: far.url });
    await call(near, "join_host", { name: host, invitation });
    await known(near, vmId, 30);
    await vm.waitForBoot();
    const ann = await callerAs(client, near, "administrator");
    const onFar = new Caller(client, ann.target, [...ann.metadata!, ["kvmm-host", host]]);
    const step = async (name: string, run: () => Promise<void>) => assert.ok(await t.step(name, run), name);
    const isHeldOf = async (name: string) => await exists(`${pool.path}/${name}`);

    await step("a call names the host by its field, by metadata, or by its VM", async () => {
      const names = async (caller: Caller, request: unknown) => {
        const { items } = await caller.call(`${KVM}/GetStoragePools`, request) as unknown as {
          items: { name: string }[];
        };
        return items.map(({ name }) => name);
      };
      assert.ok((await names(ann, { host })).includes(pool.name));
      assert.ok((await names(onFar, {})).includes(pool.name));
      assert.ok(!(await names(ann, {})).includes(pool.name), "the host here has no such pool");
      const { value } = await ann.call(`${KVM}/GetVm`, { vmId }) as unknown as { value: { host: string } };
      assert.equal(value.host, host);
      assert.equal((await ann.call(`${SEED}/GetVm`, { id: vm.name })).id, vmId);
      await ann.call(`${KVM}/SetTags`, { vmId, tags: ["linked"] });
      await shows(far.server, vmId, ({ tags }) => tags.join() === "linked");
      assert.deepEqual(
        await ann.refused(`${KVM}/GetStoragePools`, { host: "nowhere" }),
        ["NOT_FOUND", "HostNotFound"],
      );
      assert.deepEqual(await ann.refused(`${KVM}/StartVm`, { vmId }), [
        "FAILED_PRECONDITION",
        "VmAlreadyRunning",
      ]);
    });
    await step("who may only read here changes nothing there", async () => {
      const viewer = await callerAs(client, near, "viewer");
      await viewer.call(`${KVM}/GetVm`, { vmId });
      assert.deepEqual(await viewer.refused(`${KVM}/ForceStopVm`, { vmId }), [
        "PERMISSION_DENIED",
        "Forbidden",
      ]);
      const other = await personWith(near, "grpc-apart", []);
      const apart = new Caller(client, ann.target, [["authorization", other.headers.authorization!]]);
      assert.notEqual((await apart.refused(`${KVM}/GetVm`, { vmId }))[0], "");
      assert.equal(await vm.state(), "running");
    });
    await step("its events come as they happen, and on from an id", async () => {
      const nextOf = async (stream: string) => {
        for (;;) {
          const { messages: [message] = [], error, details } = await client.op("next", { stream });
          assert.equal(error, undefined, String(details));
          if ((message!.vm_state_changed as { vm_id: string }).vm_id === vmId) return message!;
        }
      };
      await client.open("events", ann.about(`${KVM}/WatchEvents`, { names: ["vm-state-changed"] }), true);
      await ann.call(`${KVM}/PauseVm`, { vmId });
      const paused = await nextOf("events");
      assert.deepEqual(paused.vm_state_changed, { vm_id: vmId, state: "paused" });
      await client.op("cancel", { stream: "events" });
      await ann.call(`${KVM}/ResumeVm`, { vmId });
      await shows(near, vmId, ({ state }) => state === "running");
      const resume = ann.about(`${KVM}/WatchEvents`, { since: paused.id, names: ["vm-state-changed"] });
      await client.open("missed", resume);
      assert.deepEqual((await nextOf("missed")).vm_state_changed, { vm_id: vmId, state: "running" });
      await client.op("cancel", { stream: "missed" });
    });
    await step("its figures come", async () => {
      await client.open("figures", ann.about(`${KVM}/WatchMetrics`, { vmIds: [vmId] }));
      const { messages = [] } = await client.op("next", { stream: "figures", count: 2 });
      assert.equal(messages.length, 2);
      for (const { vm_stats_updated: told } of messages) {
        assert.equal((told as { vm_id: string }).vm_id, vmId);
      }
      await client.op("cancel", { stream: "figures" });
    });
    await step("a console both ways, by either service, and free again once it is cancelled", async () => {
      await client.open("console", ann.about(`${KVM}/Console`));
      const open = { vmId, kind: "serial" };
      await client.op("send", { stream: "console", requests: [{ open }, typed("\n")] });
      await client.op("send", { stream: "console", requests: [typed("echo sum $((40 + 2))\n")] });
      await reads(client, "console", "sum 42");
      await client.op("cancel", { stream: "console" });
      await until("the console to be free", async () => {
        await client.open("again", ann.about(`${KVM}/Console`));
        await client.op("send", { stream: "again", requests: [{ open }, typed("echo now $((7 * 6))\n")] });
        const { error } = await client.op("next", { stream: "again" });
        return error === undefined;
      });
      await reads(client, "again", "now 42");
      // The client's half is closed: the console is done
      await client.op("send", { stream: "again", requests: [], last: true });
      for (let over = false; !over;) {
        const { end, error, details } = await client.op("next", { stream: "again" });
        assert.equal(error, undefined, String(details));
        over = end === true;
      }
      await client.open("seed", ann.about(`${SEED}/Console`));
      await client.op("send", { stream: "seed", requests: [{ vmId }, typed("echo twice $((2 * 4))\n")] });
      await reads(client, "seed", "twice 8");
      await client.op("cancel", { stream: "seed" });
    });
    const bytes = new Uint8Array(3 * MIB).map((_, at) => at * 7 % 251), half = MIB / 2;
    const parts = [...Array(6).keys()].map((at) => ({
      data: Buffer.from(bytes.subarray(at * half, (at + 1) * half)).toString("base64"),
    }));
    const start = (volume: string, size = bytes.length) => ({ pool: pool.name, volume, size, host });
    await step("an upload and a download are whole", async () => {
      await client.open("up", ann.about(`${KVM}/UploadVolume`));
      await client.op("send", { stream: "up", requests: [{ start: start("up.raw") }, ...parts], last: true });
      const { reply, error, details } = await client.op("result", { stream: "up" });
      assert.ok(reply !== undefined, `${error} ${details}`);
      assert.deepEqual(await Deno.readFile(`${pool.path}/up.raw`), bytes);
      await client.open("down", onFar.about(`${KVM}/DownloadVolume`, { pool: pool.name, volume: "up.raw" }));
      const got: Buffer[] = [];
      let about: unknown;
      for (let over = false; !over;) {
        const { messages = [], end, error, details } = await client.op("next", { stream: "down", count: 8 });
        assert.equal(error, undefined, String(details));
        for (const each of messages) {
          if (each.about !== undefined) about = each.about;
          else got.push(Buffer.from(String(each.data), "base64"));
        }
        over = end === true;
      }
      assert.ok(about !== undefined, "the first message says what comes");
      assert.deepEqual(new Uint8Array(Buffer.concat(got)), bytes);
    });
    await step("an upload that is cancelled, or too short, leaves nothing there", async () => {
      await client.open("gone", ann.about(`${KVM}/UploadVolume`));
      await client.op("send", { stream: "gone", requests: [{ start: start("gone.raw") }, parts[0]] });
      await until("it to have begun there", () => isHeldOf("gone.raw"));
      await client.op("cancel", { stream: "gone" });
      await until("it to be gone there", async () => !await isHeldOf("gone.raw"), { seconds: 30 });
      await client.open("short", ann.about(`${KVM}/UploadVolume`));
      await client.op("send", {
        stream: "short",
        requests: [{ start: start("short.raw") }, parts[0]],
        last: true,
      });
      assert.notEqual((await client.op("result", { stream: "short", timeout: 60 })).error, undefined);
      await until("it to be gone there", async () => !await isHeldOf("short.raw"), { seconds: 30 });
    });
    await step("a download that is cancelled ends there", async () => {
      await run(["truncate", "-s", String(1024 * MIB), `${pool.path}/large.raw`]);
      await asRoot(far.server, "refresh_storage_pool", { pool: pool.name });
      const about = onFar.about(`${KVM}/DownloadVolume`, { pool: pool.name, volume: "large.raw" });
      await client.open("large", about);
      await client.op("next", { stream: "large", count: 3 });
      await client.op("cancel", { stream: "large" });
      // A volume that is still read cannot be deleted
      await until("the volume to be free", async () => {
        const { error } = await onFar.raw(`${KVM}/DeleteVolume`, { pool: pool.name, volume: "large.raw" });
        return error === undefined;
      }, { seconds: 30 });
    });
    await step("a deadline ends the waiting, and nothing else", async () => {
      await using deaf = await testMachine({ purpose: "grpc-linked-deaf", guest: false, start: true });
      await shows(near, deaf.uuid, ({ state }) => state === "running");
      const late = await ann.raw(`${SEED}/StopVm`, { id: deaf.uuid, timeoutSeconds: 60 }, { timeout: 2 });
      assert.equal(late.error, "DEADLINE_EXCEEDED");
      assert.equal(await deaf.state(), "running");
      assert.ok(await ann.call(`${KVM}/GetVm`, { vmId }));
    });
    await step("there the audit log has who it was, here, too", async () => {
      const there = await asRoot(far.server, "get_audit_log", { limit: 100 });
      for (const action of ["set_tags", "pause_vm", "open_console", "upload_volume"]) {
        const entry = there.find((each) => each.action === action);
        assert.match(entry?.actor ?? "", /^grpc-administrator@/, action);
      }
    });
    await step("once it is away, calls and streams say so, and other calls go on", async () => {
      await client.open("cut", ann.about(`${KVM}/Console`));
      await client.op("send", {
        stream: "cut",
        requests: [{ open: { vmId, kind: "serial" } }, typed("echo cut $((3 * 3))\n")],
      });
      await reads(client, "cut", "cut 9");
      const names = ["connection-status-changed"];
      await client.open("watching", ann.about(`${KVM}/WatchEvents`, { names }), true);
      await far.server.kill();
      for (;;) {
        const { end, error, trailers } = await client.op("next", { stream: "cut" });
        assert.notEqual(end, true, "a console that was cut is no console that is done");
        if (error === undefined) continue;
        assert.equal(trailers?.["kvmm-error-code"], "ConsoleEnded");
        break;
      }
      const { messages: [told] = [], error: lost } = await client.op("next", { stream: "watching" });
      assert.equal(lost, undefined);
      assert.equal((told!.connection_status_changed as { host: string }).host, host);
      const [code] = await ann.refused(`${KVM}/PauseVm`, { vmId }, { timeout: 30 });
      assert.equal(code, "UNAVAILABLE");
      const { heads, error } = await ann.raw(`${KVM}/GetVms`);
      assert.equal(error, undefined);
      assert.ok(JSON.stringify(heads).includes(host), JSON.stringify(heads));
      assert.ok(await ann.call(`${KVM}/GetVms`, { host: "local" }));
      assert.equal(await vm.state(), "running");
    });
  },
});
