/**
 * Images of a host that KVM Manager reaches by its libvirt alone: their heads come through libvirt's stream, and are judged as
 * those of files here. The second host is a real libvirtd whose paths KVM Manager does not open; the canary is in none of
 * its pools.
 */
import assert from "node:assert/strict";
import { setLogLevel } from "../../agent/log.ts";
import { principalOf } from "../../agent/access.ts";
import { permissionsOf } from "../../lib/access/permissions.ts";
import type { Api } from "../../lib/contract/api.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { appHere } from "../testbed/app_here.ts";
import { testFolder } from "../testbed/folder.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { run } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
setLogLevel("error");
const HEAD_BYTES = 65_536;

const qemuImg = (...args: string[]) => run(["qemu-img", ...args]);

async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof ContractError, String(error));
    return `${error.code}: ${error.message}`;
  }
  assert.fail("it was not refused");
}

/** Changes bytes of a file. */
async function write(path: string, at: number, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true });
  await file.seek(at, Deno.SeekMode.Start);
  await file.write(bytes);
}

/** Makes the header of an image name another file below it, whatever is there. */
async function below(path: string, name: string): Promise<void> {
  await qemuImg("create", "-q", "-f", "qcow2", "-u", "-b", name, "-F", "raw", path, "1M");
}

/** Head of an ISO: 16 empty sectors, and its volume descriptor. */
function blankIso(): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES);
  bytes.set(new TextEncoder().encode("\x01CD001\x01"), 16 * 2048);
  return bytes;
}

Deno.test({
  name:
    "images of a host reached by its libvirt alone are judged by their heads, which come through its stream",
  ignore,
  fn: async (t) => {
    await using first = await privateLibvirt("far-images-a");
    await using second = await privateLibvirt("far-images-b");
    await using folder = await testFolder();
    const path = `${folder.path}/pool`, canary = `${folder.path}/canary`;
    await Deno.mkdir(path);
    await Deno.writeTextFile(canary, "canary of the host".padEnd(HEAD_BYTES, "\n"));
    const vm = await second.machine({}), other = await second.machine({});
    await second.virsh("pool-create-as", "far", "dir", "--target", path);
    const at = (name: string) => `${path}/${name}`;
    await qemuImg("create", "-q", "-f", "qcow2", at("plain.qcow2"), "7M");
    await qemuImg("create", "-q", "-f", "qcow2", at("base.qcow2"), "8M");
    await qemuImg("create", "-q", "-f", "raw", at("bottom.raw"), "8M");
    const over = (base: string, format: string, name: string) =>
      qemuImg("create", "-q", "-f", "qcow2", "-b", at(base), "-F", format, at(name));
    await over("base.qcow2", "qcow2", "middle.qcow2");
    await over("middle.qcow2", "qcow2", "top.qcow2");
    await over("bottom.raw", "raw", "on-raw.qcow2");
    await below(at("trap.qcow2"), canary);
    await below(at("json.qcow2"), `json:{"driver":"file","filename":"${canary}"}`);
    await below(at("url.qcow2"), "https://example.org/a.qcow2");
    await qemuImg(
      ...["create", "-q", "-f", "qcow2", "-o", `data_file=${at("data.raw")}`, at("data.qcow2"), "1M"],
    );
    await over("base.qcow2", "qcow2", "loop.qcow2");
    await qemuImg(
      "rebase",
      "-q",
      "-u",
      "-f",
      "qcow2",
      "-F",
      "qcow2",
      "-b",
      at("loop.qcow2"),
      at("loop.qcow2"),
    );
    await qemuImg("create", "-q", "-f", "qcow2", at("features.qcow2"), "1M");
    await write(at("features.qcow2"), 72, new Uint8Array([0x80, 0, 0, 0, 0, 0, 0, 0]));
    await qemuImg("create", "-q", "-f", "qcow2", at("length.qcow2"), "1M");
    await write(at("length.qcow2"), 100, new Uint8Array([0xff, 0xff, 0xff, 0xff]));
    await qemuImg("create", "-q", "-f", "raw", at("guest.raw"), "1M");
    await Deno.writeFile(at("cd.iso"), blankIso());
    await Deno.writeFile(at("no-cd.iso"), new TextEncoder().encode("#!/bin/sh\n".padEnd(HEAD_BYTES, "\n")));
    await second.virsh("pool-refresh", "far");
    await using here = await appHere([{ id: "far", uri: second.uri }], first.uri);
    const { app, api: root } = here, far = app.hosts.require("far");
    assert.equal(far.machine, null, "no path of it is one of this machine");
    const operator = principalOf({
      name: "op",
      door: "api",
      via: "session",
      rights: [[{ permissions: permissionsOf("operator"), on: { kind: "everything" } }]],
    });
    const api = app.apiFor(operator) as Api;
    const attach = (name: string, format?: "raw" | "qcow2", vmId = vm.uuid) =>
      api.attachDisk({ vmId, path: `far/${name}`, ...(format && { format }), live: false });
    const detach = (target: string, vmId = vm.uuid) => api.detachDisk({ vmId, target, live: false });
    const chainOf = async (name: string) => {
      const xml = await second.virsh("dumpxml", "--inactive", name);
      return [...xml.matchAll(/<(?:source file='([^']*)'|backingStore\/)/g)].map(([, file]) => file ?? "end");
    };

    await t.step(
      "a plain qcow2 image: its format and its end of the chain are in the definition",
      async () => {
        const { target } = await attach("plain.qcow2");
        assert.match(await second.virsh("dumpxml", "--inactive", vm.name), /type='qcow2'/);
        assert.deepEqual(await chainOf(vm.name), [at("plain.qcow2"), "end"]);
        await detach(target);
      },
    );

    await t.step("a chain of volumes is followed, written down, and what is read of it starts", async () => {
      assert.match(await refusal(attach("top.qcow2")), /say that its format is qcow2/);
      const { target } = await attach("top.qcow2", "qcow2");
      assert.deepEqual(await chainOf(vm.name), [
        at("top.qcow2"),
        at("middle.qcow2"),
        at("base.qcow2"),
        "end",
      ]);
      await api.startVm({ vmId: vm.uuid });
      assert.equal(await vm.state(), "running");
      for (const base of ["middle.qcow2", "base.qcow2"]) {
        assert.match(await refusal(attach(base, "qcow2", other.uuid)), /DiskInUse|built on/, base);
      }
      await api.forceStopVm({ vmId: vm.uuid });
      await detach(target);
      const raw = await attach("on-raw.qcow2", "qcow2");
      assert.deepEqual(await chainOf(vm.name), [at("on-raw.qcow2"), at("bottom.raw"), "end"]);
      await detach(raw.target);
    });

    for (
      const [name, why] of Object.entries({
        "trap.qcow2": /in no storage pool/,
        "json.qcow2": /no plain file/,
        "url.qcow2": /no plain file/,
        "data.qcow2": /data/,
        "loop.qcow2": /built on it/,
        "features.qcow2": /features that are not known/,
        "length.qcow2": /length is wrong/,
      })
    ) {
      await t.step(`${name} is refused, for an administrator, too`, async () => {
        for (const who of [api, root]) {
          const call = who.attachDisk({ vmId: vm.uuid, path: `far/${name}`, format: "qcow2", live: false });
          const said = await refusal(call);
          assert.match(said, /^DiskRefused/);
          assert.match(said, why);
        }
        assert.deepEqual(await chainOf(vm.name), []);
      });
    }

    await t.step(
      "a raw disk stays raw, whatever its guest wrote, until another volume is made in its place",
      async () => {
        const { target } = await attach("guest.raw", "raw");
        await detach(target);
        await write(at("guest.raw"), 0, (await Deno.readFile(at("trap.qcow2"))).subarray(0, HEAD_BYTES));
        await second.virsh("pool-refresh", "far");
        assert.match(await second.virsh("vol-dumpxml", "guest.raw", "far"), /format type='qcow2'/);
        assert.match(await refusal(attach("guest.raw", "qcow2")), /only an administrator/);
        const again = await attach("guest.raw");
        assert.match(await second.virsh("dumpxml", "--inactive", vm.name), /type='raw'/);
        await detach(again.target);
        const over = {
          pool: "far",
          name: "over-guest.qcow2",
          capacityBytes: 2 ** 20,
          format: "qcow2" as const,
        };
        assert.match(
          await refusal(root.createVolume({ ...over, backing: "far/guest.raw", host: "far" })),
          /DiskRefused.*raw/,
        );
        await root.deleteVolume({ pool: "far", volume: "guest.raw", host: "far", permanently: true });
        await root.createVolume({ ...over, name: "guest.raw", host: "far" });
        const { target: fresh } = await attach("guest.raw");
        assert.match(await second.virsh("dumpxml", "--inactive", vm.name), /type='qcow2'/);
        await detach(fresh);
      },
    );

    await t.step("an overlay is made on a volume there, with the size that its head says", async () => {
      const made = await root.createVolume({
        pool: "far",
        name: "made.qcow2",
        format: "qcow2",
        backing: "far/base.qcow2",
        host: "far",
      });
      assert.equal(made.capacityBytes, 8 * 2 ** 20);
      const { target } = await attach("made.qcow2");
      assert.deepEqual(await chainOf(vm.name), [at("made.qcow2"), at("base.qcow2"), "end"]);
      await detach(target);
    });

    await t.step("media are judged by their content", async () => {
      const { target } = await api.attachDisk({ vmId: vm.uuid, device: "cdrom", live: false });
      const insert = (name: string) =>
        api.insertMedia({ vmId: vm.uuid, target, path: `far/${name}`, live: false });
      await insert("cd.iso");
      assert.match(await refusal(insert("plain.qcow2")), /qcow2 image, not an ISO/);
      const { warnings = [] } = await insert("no-cd.iso");
      assert.ok(warnings.some((warning) => /volume descriptor/.test(JSON.stringify(warning))));
      await detach(target);
    });

    await t.step("a libvirtd that is silent is told within the limit, and nothing was changed", async () => {
      const before = await chainOf(vm.name);
      {
        await using _frozen = await second.freeze();
        const started = performance.now();
        assert.match(await refusal(attach("plain.qcow2")), /Storage|Libvirt|Host/i);
        assert.ok(performance.now() - started < 60_000);
      }
      await until("it answers again", async () => (await api.listHosts()).every(({ error }) => !error), {
        seconds: 60,
      });
      assert.deepEqual(await chainOf(vm.name), before);
    });
    assert.equal((await Deno.readTextFile(canary)).trim(), "canary of the host");
  },
});
