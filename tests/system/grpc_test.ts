/** gRPC as a stranger speaks it: Google's Python client against the product, with real VMs. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Grant } from "../../lib/contract/mod.ts";
import { exists, run } from "../testbed/process.ts";
import { grpcAddresses, GrpcClient } from "../testbed/grpc.ts";
import { Caller, callerAs, GRPC_LISTEN, KVM, reads, SEED, typed } from "../testbed/grpc_caller.ts";
import { buildGuest } from "../testbed/guest.ts";
import { testMachine } from "../testbed/machine.ts";
import { testName } from "../testbed/names.ts";
import { testNetwork } from "../testbed/network.ts";
import { asRoot, personWith, signedIn } from "../testbed/people.ts";
import { testPool } from "../testbed/pool.ts";
import { known, knownPool, ownServer, readyServer, shows } from "../testbed/product.ts";
import { removeDomain } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { localhostCertificate } from "../testbed/tls.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("guest", "grpcClient") !== null;

const EVERYTHING: Grant["on"] = { kind: "everything" };
Deno.test({
  name: "gRPC is off until a setting says where",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    assert.equal(await exists(`${server.runtimeDir}/grpc.sock`), false);
    assert.doesNotMatch(server.log(), /grpc:\/\//);
  },
});

Deno.test({
  name: "the calls of mvirt make, start, change, stop and delete a real VM",
  ignore,
  fn: async (t) => {
    await using server = await ownServer({ args: GRPC_LISTEN });
    await using client = await GrpcClient.start();
    const ann = await callerAs(client, server, "administrator");
    const { kernel, initrd } = await buildGuest(), name = await testName("grpc-seed");
    await using undo = new AsyncDisposableStack();
    undo.defer(() => removeDomain(name));
    await using pool = await testPool("grpc");
    await knownPool(server, pool.name);
    await using network = await testNetwork();
    const image = `${pool.path}/more.qcow2`;
    await run(["qemu-img", "create", "-q", "-f", "qcow2", image, "64M"]);
    let id = "";

    await t.step("CreateVm, GetVm by its id and its name, ListVms", async () => {
      const made = await ann.call(`${SEED}/CreateVm`, {
        name,
        config: {
          vcpus: 1,
          memoryMb: 160,
          kernel,
          initramfs: initrd,
          cmdline: "console=ttyS0 quiet",
          disks: [],
          nics: [{ network: network.name, mac: "52:54:00:aa:bb:01" }],
        },
      });
      id = made.id!;
      assert.deepEqual([made.name, made.state], [name, "VM_STATE_STOPPED"]);
      for (const given of [id, name]) assert.equal((await ann.call(`${SEED}/GetVm`, { id: given })).id, id);
      const { vms } = await ann.call(`${SEED}/ListVms`) as unknown as { vms: { id: string }[] };
      assert.ok(vms.some((vm) => vm.id === id));
      const { config } = await ann.call(`${SEED}/GetVm`, { id }) as unknown as {
        config: { vcpus: number; memory_mb: string; nics: { mac: string }[] };
      };
      assert.deepEqual([config.vcpus, config.memory_mb, config.nics[0]!.mac], [
        1,
        "160",
        "52:54:00:aa:bb:01",
      ]);
    });
    await t.step("StartVm, and Console both ways", async () => {
      const { state } = await ann.call(`${SEED}/StartVm`, { id });
      assert.match(String(state), /RUNNING|STARTING/);
      assert.deepEqual(await ann.refused(`${SEED}/StartVm`, { id }), [
        "FAILED_PRECONDITION",
        "VmAlreadyRunning",
      ]);
      await client.open("seed", ann.about(`${SEED}/Console`));
      await client.op("send", { stream: "seed", requests: [{ vmId: id }] });
      await reads(client, "seed", "kvmm-guest ready");
      await client.op("send", { stream: "seed", requests: [typed("echo sum $((40 + 2))\n")] });
      await reads(client, "seed", "sum 42");
      // The client's half is closed: the console is done
      await client.op("send", { stream: "seed", requests: [], last: true });
      for (let over = false; !over;) {
        const { end, error } = await client.op("next", { stream: "seed" });
        assert.equal(error, undefined);
        over = end === true;
      }
    });
    await t.step("AttachDisk, DetachDisk, AttachNic, DetachNic on the running VM", async () => {
      const disksOf = (vm: unknown) => (vm as { config: { disks?: { path: string }[] } }).config.disks ?? [];
      const macsOf = (vm: unknown) =>
        (vm as { config: { nics: { mac: string }[] } }).config.nics.map(({ mac }) => mac);
      const more = await ann.call(`${SEED}/AttachDisk`, { vmId: id, disk: { path: image, format: "qcow2" } });
      assert.ok(disksOf(more).some(({ path }) => path === image), JSON.stringify(more));
      await ann.call(`${SEED}/DetachDisk`, { vmId: id, path: image });
      await until(
        "the disk to be gone",
        async () => disksOf(await ann.call(`${SEED}/GetVm`, { id })).length === 0,
      );
      assert.deepEqual(
        await ann.refused(`${SEED}/DetachDisk`, { vmId: id, path: image }),
        ["NOT_FOUND", "DiskNotFound"],
      );
      const mac = "52:54:00:aa:bb:02";
      const carded = await ann.call(`${SEED}/AttachNic`, { vmId: id, nic: { mac, network: network.name } });
      assert.ok(macsOf(carded).includes(mac));
      await ann.call(`${SEED}/DetachNic`, { vmId: id, mac });
      await until(
        "the card to be gone",
        async () => !macsOf(await ann.call(`${SEED}/GetVm`, { id })).includes(mac),
      );
      const tap = await ann.refused(`${SEED}/AttachNic`, { vmId: id, nic: { tap: "tap7" } });
      assert.deepEqual(tap, ["INVALID_ARGUMENT", "InvalidInput"]);
    });
    await t.step("StopVm asks and does not force, KillVm does, DeleteVm", async () => {
      await ann.call(`${SEED}/StopVm`, { id });
      await ann.raw(`${SEED}/KillVm`, { id });
      const off = async () => (await ann.call(`${SEED}/GetVm`, { id })).state === "VM_STATE_STOPPED";
      await until("the VM to be off", off);
      await ann.call(`${SEED}/DeleteVm`, { id });
      assert.deepEqual(await ann.refused(`${SEED}/GetVm`, { id }), ["NOT_FOUND", "VmNotFound"]);
    });
    await t.step("the audit log has each change, by gRPC, under the caller's name", async () => {
      const entries = await asRoot(server, "get_audit_log", { limit: 100 });
      const own = entries.filter(({ door }) => door === "grpc");
      for (
        const action of ["create_vm", "start_vm", "attach_disk", "detach_nic", "force_stop_vm", "delete_vm"]
      ) {
        assert.ok(own.some((each) => each.action === action && each.actor === "grpc-administrator"), action);
      }
    });
  },
});

Deno.test({
  name: "every command by a token, at the socket and with TLS, with the caller's rights",
  ignore,
  fn: async (t) => {
    await using server = await ownServer({ args: GRPC_LISTEN });
    await using client = await GrpcClient.start();
    await using vm = await testMachine({ purpose: "grpc", guest: false });
    const vmId = vm.uuid, { plain, tls, socket } = grpcAddresses(server);
    await known(server, vmId);
    const operator = await callerAs(client, server, "operator"),
      viewer = await callerAs(client, server, "viewer");
    const nobody = new Caller(client, plain), root = new Caller(client, socket);

    await t.step("without a token there is health, and nothing else", async () => {
      assert.deepEqual(await nobody.refused(`${KVM}/GetVms`), ["UNAUTHENTICATED", "NotSignedIn"]);
      const wrong = new Caller(client, plain, [["authorization", `Bearer kvmm_${"a".repeat(43)}`]]);
      assert.deepEqual(await wrong.refused(`${KVM}/GetVms`), ["UNAUTHENTICATED", "TokenInvalid"]);
      assert.equal((await nobody.call("grpc.health.v1.Health/Check")).status, "SERVING");
      assert.equal((await nobody.call("grpc.health.v1.Health/Check", { service: KVM })).status, "SERVING");
      const missing = await nobody.refused("grpc.health.v1.Health/Check", { service: "no.Such" });
      assert.equal(missing[0], "NOT_FOUND");
      const { error, details } = await nobody.raw(`${KVM}/SignIn`, { name: "ann", password: "wrong" });
      assert.deepEqual(
        [error, details],
        ["INVALID_ARGUMENT", "Sign in where pages are: this way in has no sessions"],
        "it takes no sign-in",
      );
    });
    await t.step("a session of a browser is not taken, nor a call that a page makes", async () => {
      const password = "seven wide rivers flow";
      await asRoot(server, "create_user", {
        name: "eve",
        password,
        grants: [{ role: "administrator", on: EVERYTHING }],
      });
      const eve = await signedIn(server, "eve", password);
      const cookie = new Caller(client, plain, [["cookie", eve.headers.cookie!]]);
      assert.deepEqual(await cookie.refused(`${KVM}/GetVms`), ["UNAUTHENTICATED", "NotSignedIn"]);
      const page = new Caller(client, plain, [...operator.metadata!, ["origin", "https://evil.example"]]);
      assert.deepEqual(await page.refused(`${KVM}/GetVms`), ["PERMISSION_DENIED", "ForeignOrigin"]);
    });
    await t.step("answers are those of the API, and errors have its codes and details", async () => {
      const { value } = await operator.call(`${KVM}/GetVm`, { vmId }) as unknown as {
        value: Record<string, unknown>;
      };
      const told = await asRoot(server, "get_vm", { vmId });
      assert.deepEqual([value.id, value.name, value.state], [told.id, told.name, told.state]);
      assert.deepEqual([value.cpu_count, value.memory_mb], [String(told.cpuCount), String(told.memoryMb)]);
      const { error, details, trailers } = await operator.raw(`${KVM}/GetVm`, { vmId: "none" });
      assert.deepEqual([error, details], ["NOT_FOUND", "VM not found: none"]);
      const status = Buffer.from(trailers!["grpc-status-details-bin"]!, "base64").toString();
      for (const part of ["google.rpc.ErrorInfo", "VmNotFound", "kvm-manager", "vmId"]) {
        assert.ok(status.includes(part));
      }
      assert.deepEqual(await operator.refused(`${KVM}/GetVm`), ["INVALID_ARGUMENT", "InvalidInput"]);
    });
    await t.step("an empty list is told from one that is left out", async () => {
      await operator.call(`${KVM}/SetTags`, { vmId, tags: ["a", "b"] });
      await shows(server, vmId, ({ tags }) => tags.length === 2);
      await operator.call(`${KVM}/UpdateVm`, { vmId, description: "kept" });
      await shows(server, vmId, ({ tags, description }) => tags.length === 2 && description === "kept");
      await operator.call(`${KVM}/UpdateVm`, { vmId, tagsIsEmpty: true });
      await shows(server, vmId, ({ tags }) => tags.length === 0);
    });
    await t.step("a viewer reads, and changes nothing, by either service", async () => {
      await viewer.call(`${KVM}/GetVm`, { vmId });
      for (const method of [`${KVM}/StartVm`, `${KVM}/DeleteVm`]) {
        assert.deepEqual(await viewer.refused(method, { vmId }), ["PERMISSION_DENIED", "Forbidden"]);
      }
      for (const name of ["StartVm", "KillVm", "DeleteVm"]) {
        assert.deepEqual(await viewer.refused(`${SEED}/${name}`, { id: vmId }), [
          "PERMISSION_DENIED",
          "Forbidden",
        ]);
      }
      await client.open("viewer", viewer.about(`${KVM}/Console`));
      await client.op("send", { stream: "viewer", requests: [{ open: { vmId, kind: "serial" } }] });
      const { error, trailers } = await client.op("next", { stream: "viewer" });
      assert.deepEqual([error, trailers?.["kvmm-error-code"]], ["PERMISSION_DENIED", "Forbidden"]);
      assert.equal(await vm.state(), "shut off");
    });
    await t.step("who has rights on one VM sees no other", async () => {
      await using other = await testMachine({ purpose: "grpc-other", guest: false });
      await known(server, other.uuid);
      const one = await personWith(server, "one", [{ role: "viewer", on: { kind: "vm", vmId } }]);
      const caller = new Caller(client, plain, [["authorization", one.headers.authorization!]]);
      const { items } = await caller.call(`${KVM}/GetVms`) as unknown as { items: { id: string }[] };
      assert.deepEqual(items.map(({ id }) => id), [vmId]);
      const { vms } = await caller.call(`${SEED}/ListVms`) as unknown as { vms: { id: string }[] };
      assert.deepEqual(vms.map(({ id }) => id), [vmId]);
      assert.equal((await caller.refused(`${KVM}/GetVm`, { vmId: other.uuid }))[0], "NOT_FOUND");
    });
    await t.step("the UNIX socket knows its user, and is its owner's alone", async () => {
      assert.ok(await root.call(`${KVM}/GetVm`, { vmId }));
      assert.ok(await root.call(`${KVM}/ListUsers`), "root is an administrator");
      const { mode } = await Deno.stat(`${server.runtimeDir}/grpc.sock`);
      assert.equal(mode! & 0o007, 0, "other users cannot open it");
    });
    await t.step("TLS, by the web server's certificate", async () => {
      await using folder = new AsyncDisposableStack();
      const path = await Deno.makeTempDir({ prefix: "kvmm-test-" });
      folder.defer(() => Deno.remove(path, { recursive: true }));
      await localhostCertificate(`${path}/key.pem`, `${path}/cert.pem`);
      await using own = await ownServer({
        args: [
          "--grpc-listen",
          "https://127.0.0.1:0",
          "--tls-cert",
          `${path}/cert.pem`,
          "--tls-key",
          `${path}/key.pem`,
        ],
      });
      await known(own, vmId);
      const person = await callerAs(client, own, "viewer");
      const secure = new Caller(client, grpcAddresses(own).tls, person.metadata, `${path}/cert.pem`);
      assert.ok(await secure.call(`${KVM}/GetVm`, { vmId }));
      const inTheClear = new Caller(client, grpcAddresses(own).tls, person.metadata);
      assert.equal((await inTheClear.refused(`${KVM}/GetVm`, { vmId }, { timeout: 10 }))[0].length > 0, true);
      const [, port] = tls.split(":");
      await new Promise<void>((resolve, reject) => {
        const plainHttp = connectTls({
          port: Number(port),
          rejectUnauthorized: false,
          ALPNProtocols: ["http/1.1"],
        });
        plainHttp.on("close", () => resolve()).on("error", () => resolve());
        plainHttp.setTimeout(15_000, () => reject(new Error("it was not hung up on")));
      });
    });
    await t.step("reflection tells all of it, as protoc has it", async () => {
      for (const version of ["v1", "v1alpha"]) {
        const found = await client.op("reflect", {
          target: plain,
          metadata: viewer.metadata,
          version,
          service: KVM,
          method: "GetVms",
        });
        assert.equal(found.error, undefined, String(found.details));
        const { services, missing, unlike_protoc: unlike, reply } = found as unknown as {
          services: string[];
          missing: number;
          unlike_protoc: string[];
          reply: { items: unknown[] };
        };
        for (
          const each of [KVM, SEED, "grpc.health.v1.Health", `grpc.reflection.${version}.ServerReflection`]
        ) {
          assert.ok(services.includes(each), each);
        }
        assert.deepEqual([missing, unlike], [5, []]);
        assert.ok(reply.items.length > 0);
      }
      const { error } = await client.op("reflect", {
        target: plain,
        version: "v1",
        service: KVM,
        method: "GetVms",
      });
      assert.equal(error, "UNAUTHENTICATED");
    });
  },
});

Deno.test({
  name: "streams: consoles, events, figures, content; deadlines, cancelling, and clients that misbehave",
  ignore,
  fn: async (t) => {
    await using server = await ownServer({ args: GRPC_LISTEN });
    await using client = await GrpcClient.start();
    await using pool = await testPool("grpc");
    await knownPool(server, pool.name);
    await using vm = await testMachine({ purpose: "grpc", start: true });
    const vmId = vm.uuid, { plain } = grpcAddresses(server);
    await shows(server, vmId, ({ state }) => state === "running");
    await vm.waitForBoot();
    const ann = await callerAs(client, server, "administrator");
    const answers = async () => assert.ok(await ann.call(`${KVM}/GetVm`, { vmId }));

    await t.step("a console both ways, taken over, and gone with its VM", async () => {
      const open = async (stream: string, force = false) => {
        await client.open(stream, ann.about(`${KVM}/Console`));
        await client.op("send", {
          stream,
          requests: [{ open: { vmId, kind: "serial", force } }, typed("\n")],
        });
      };
      await open("one");
      await client.op("send", { stream: "one", requests: [typed("echo sum $((40 + 2))\n")] });
      await reads(client, "one", "sum 42");
      await open("two");
      const { error, details, trailers } = await client.op("next", { stream: "two" });
      assert.deepEqual([error, trailers?.["kvmm-error-code"]], ["FAILED_PRECONDITION", "ConsoleEnded"]);
      assert.match(details!, /Another session holds the serial console/);
      await open("three", true);
      await client.op("send", { stream: "three", requests: [typed("echo now $((7 * 6))\n")] });
      await reads(client, "three", "now 42");
      for (let over = false; !over;) {
        const { error, details } = await client.op("next", { stream: "one" });
        if (error !== undefined) assert.match(details!, /took the serial console over/);
        over = error !== undefined;
      }
      await client.op("cancel", { stream: "three" });
      await open("four", true);
      await client.op("send", { stream: "four", requests: [typed("echo again $((2 * 4))\n")] });
      await reads(client, "four", "again 8");
      await client.op("cancel", { stream: "four" });
    });
    await t.step("a screen as RFB", async () => {
      await client.open("screen", ann.about(`${KVM}/Console`));
      await client.op("send", { stream: "screen", requests: [{ open: { vmId, kind: "vnc" } }] });
      const { error, messages } = await client.op("next", { stream: "screen" });
      // The machine has none: that is told before anything is opened
      assert.deepEqual([error, messages], ["FAILED_PRECONDITION", undefined]);
    });
    await t.step("events as they happen, chosen by name, and on from an id", async () => {
      await client.open("events", ann.about(`${KVM}/WatchEvents`, { names: ["vm-state-changed"] }), true);
      await ann.call(`${KVM}/PauseVm`, { vmId });
      // Other VMs of the host change, too
      const nextOf = async (stream: string) => {
        for (;;) {
          const { messages: [message] = [], error } = await client.op("next", { stream });
          assert.equal(error, undefined);
          if ((message!.vm_state_changed as { vm_id: string }).vm_id === vmId) return message!;
        }
      };
      const paused = await nextOf("events");
      assert.deepEqual(paused.vm_state_changed, { vm_id: vmId, state: "paused" });
      await client.op("cancel", { stream: "events" });
      await ann.call(`${KVM}/ResumeVm`, { vmId });
      await shows(server, vmId, ({ state }) => state === "running");
      const since = paused.id;
      await client.open("missed", ann.about(`${KVM}/WatchEvents`, { since, names: ["vm-state-changed"] }));
      const resumed = await nextOf("missed");
      assert.deepEqual(resumed.vm_state_changed, { vm_id: vmId, state: "running" });
      await client.op("cancel", { stream: "missed" });
      const wrong = await (async () => {
        await client.open("wrong", ann.about(`${KVM}/WatchEvents`, { names: ["no-such"] }));
        return await client.op("next", { stream: "wrong" });
      })();
      assert.equal(wrong.error, "INVALID_ARGUMENT");
    });
    await t.step("figures of one VM", async () => {
      await client.open("figures", ann.about(`${KVM}/WatchMetrics`, { vmIds: [vmId] }));
      const { messages = [] } = await client.op("next", { stream: "figures", count: 2 });
      assert.equal(messages.length, 2);
      for (const { vm_stats_updated: told } of messages) {
        assert.equal((told as { vm_id: string }).vm_id, vmId);
      }
      await client.op("cancel", { stream: "figures" });
    });
    await t.step(
      "an upload and a download, whole, and one that breaks off leaves nothing whole",
      async () => {
        const name = "up.raw", bytes = new Uint8Array(3 * 1024 * 1024).map((_, at) => at * 7 % 251);
        const start = { pool: pool.name, volume: name, size: bytes.length };
        const data = (from: number, to: number) => ({
          data: Buffer.from(bytes.subarray(from, to)).toString("base64"),
        });
        const half = 512 * 1024, parts = [...Array(6).keys()].map((at) => data(at * half, (at + 1) * half));
        await client.open("up", ann.about(`${KVM}/UploadVolume`));
        await client.op("send", { stream: "up", requests: [{ start }, ...parts], last: true });
        const { reply, error, details } = await client.op("result", { stream: "up" });
        assert.ok(reply !== undefined, `${error} ${details}`);
        assert.deepEqual(await Deno.readFile(`${pool.path}/${name}`), bytes);
        await client.open("down", ann.about(`${KVM}/DownloadVolume`, { pool: pool.name, volume: name }));
        const got: Uint8Array[] = [];
        let about: unknown;
        for (let over = false; !over;) {
          const { messages = [], end, error } = await client.op("next", { stream: "down", count: 8 });
          assert.equal(error, undefined);
          for (const each of messages) {
            if (each.about !== undefined) about = each.about;
            else got.push(Buffer.from(String(each.data), "base64"));
          }
          over = end === true;
        }
        assert.deepEqual([(about as { name: string }).name, Buffer.concat(got).equals(bytes)], [name, true]);
        // Half of it, then the half is closed: refused, and the next one is taken
        const other = { ...start, volume: "other.raw" };
        await client.open("short", ann.about(`${KVM}/UploadVolume`));
        await client.op("send", { stream: "short", requests: [{ start: other }, parts[0]], last: true });
        assert.notEqual((await client.op("result", { stream: "short", timeout: 60 })).error, undefined);
        await client.open("empty", ann.about(`${KVM}/UploadVolume`));
        await client.op("send", { stream: "empty", requests: [], last: true });
        assert.equal((await client.op("result", { stream: "empty", timeout: 30 })).error, "INVALID_ARGUMENT");
        await client.open("again", ann.about(`${KVM}/UploadVolume`));
        await client.op("send", { stream: "again", requests: [{ start: other }, ...parts], last: true });
        assert.ok((await client.op("result", { stream: "again" })).reply !== undefined);
      },
    );
    await t.step(
      "a deadline ends the waiting, a cancelled call is gone, and the server goes on",
      async () => {
        // No guest is in it that would do what it is asked for
        await using deaf = await testMachine({ purpose: "grpc-deaf", guest: false, start: true });
        await shows(server, deaf.uuid, ({ state }) => state === "running");
        const late = await ann.raw(`${SEED}/StopVm`, { id: deaf.uuid, timeoutSeconds: 60 }, { timeout: 2 });
        assert.equal(late.error, "DEADLINE_EXCEEDED");
        assert.equal(await deaf.state(), "running");
        await client.open("gone", ann.about(`${KVM}/WatchEvents`), true);
        await client.op("cancel", { stream: "gone" });
        await answers();
      },
    );
    await t.step("a message that is too large, and bytes that are none", async () => {
      const [code] = await ann.refused(`${KVM}/SetVmXml`, { vmId, xml: "x".repeat(2 * 1024 * 1024) });
      assert.equal(code, "RESOURCE_EXHAUSTED");
      const anonymous = new Caller(client, plain);
      const large = await anonymous.refused(`${KVM}/SignIn`, { name: "a", password: "p".repeat(20_000) });
      assert.deepEqual(large, ["RESOURCE_EXHAUSTED", "BodyTooLarge"]);
      await answers();
    });
    await t.step("garbage, and silent connections, do not disturb others", async () => {
      const [host, port] = plain.split(":") as [string, string];
      const junk = [
        "GET / HTTP/1.1\r\nhost: x\r\n\r\n",
        `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${"\xff".repeat(4000)}`,
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00\x7f\xff\xff\x01\x05\x00\x00\x00\x01",
        "",
      ];
      const sockets = await Promise.all(
        Array.from({ length: 60 }, async (_, at) => {
          const socket = connect(Number(port), host);
          socket.on("error", () => {/* the server may hang up */});
          await new Promise((resolve) => socket.once("connect", resolve));
          socket.write(junk[at % junk.length]!, "latin1");
          return socket;
        }),
      );
      await delay(500);
      await answers();
      for (const socket of sockets) socket.destroy();
      await answers();
    });
    await t.step("a client that never reads, and thousands of streams, take bounded memory", async () => {
      const name = "large.raw", size = 1024 ** 3;
      await run(["truncate", "-s", String(size), `${pool.path}/${name}`]);
      await asRoot(server, "refresh_storage_pool", { pool: pool.name });
      const before = await server.rss();
      const more = async () => Math.round((await server.rss() - before) / 1e6);
      const { states } = await client.op("flood", {
        ...ann.about(`${KVM}/DownloadVolume`, { pool: pool.name, volume: name }),
        count: 8,
        connections: 8,
        seconds: 5,
      }) as unknown as { states: Record<string, number> };
      assert.deepEqual(states, { open: 8 });
      // What a transfer holds itself, as at the API, and not what there is to transfer
      const grown = await more();
      assert.ok(grown < 1500, `${grown} MB more for eight that do not read 1 GB each`);
      await until("their memory to be free", async () => await more() < 400, {
        lastSeen: async () => `${await more()} MB more`,
      });
      await answers();
      const many = await client.op("flood", {
        ...ann.about(`${KVM}/WatchEvents`, {}),
        count: 2000,
        connections: 4,
        seconds: 5,
      }) as unknown as { states: Record<string, number> };
      assert.ok((many.states.open ?? 0) >= 1, JSON.stringify(many.states));
      await answers();
      await until("their memory to be free", async () => await more() < 400, {
        lastSeen: async () => `${await more()} MB more`,
      });
    });
    await t.step("a token that is revoked ends its streams", async () => {
      const person = await personWith(server, "leaving", [{ role: "viewer", on: EVERYTHING }]);
      const leaving = new Caller(client, plain, [["authorization", person.headers.authorization!]]);
      await client.open("leaving", leaving.about(`${KVM}/WatchEvents`, { names: ["reload"] }), true);
      await asRoot(server, "delete_user", { userId: person.userId });
      const { error } = await client.op("next", { stream: "leaving" });
      assert.equal(error, "UNAUTHENTICATED");
    });
  },
});
