/** screenshot_vm and its picture: the very pixels virsh gets, bounded in size and in how often the screen is read. */
import assert from "node:assert/strict";
import { type Bitmap, shrink } from "../../lib/formats/png/image.ts";
import { pngSize } from "../../lib/formats/png/png.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf } from "../testbed/names.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { call, readyServer, refused, shows } from "../testbed/product.ts";
import { decode, difference, firmwareIsDone, lit, witness } from "../testbed/screen.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null || await ownLibvirtd("screenshot") !== null;

/** Takes pictures until one is what virsh has at the same time: firmware on a busy machine may still have a word to say. */
async function asVirshHasIt(
  name: string,
  take: () => Promise<Bitmap>,
  made = (screen: Bitmap): Bitmap => screen,
): Promise<Bitmap> {
  let differ: number | undefined;
  return await until("our picture to be virsh's", async () => {
    const ours = await take();
    differ = difference(ours, made(await witness(name)));
    return differ < 0.2 ? ours : null;
  }, { seconds: 30, every: 2500, lastSeen: () => `they differ by ${differ}` });
}

Deno.test({
  name: "screenshot_vm() gives the pixels of the screen",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using vm = await testMachine({ purpose: "screen", guest: false, vnc: true, start: true });
    const vmId = vm.uuid;
    await shows(server, vmId, ({ state }) => state === "running");
    await firmwareIsDone(vm.name);
    const url = `${server.url}/api/v1/vms/${vmId}/screenshot.png`;

    await t.step("whole, as virsh gets it", async () => {
      const image = await asVirshHasIt(vm.name, async () => {
        const { format, width, height, takenAt, data } = await call(server, "screenshot_vm", { vmId });
        const image = decode(Uint8Array.fromBase64(data));
        assert.deepEqual([format, width, height], ["image/png", image.width, image.height]);
        assert.ok(Math.abs(Date.now() - takenAt) < 20_000);
        return image;
      });
      assert.ok(lit(image), "nothing is on the screen");
    });
    await t.step("as a thumbnail of at most 320 pixels, the same picture made smaller", async () => {
      const image = await asVirshHasIt(vm.name, async () => {
        const { data } = await call(server, "screenshot_vm", { vmId, thumbnail: true });
        return decode(Uint8Array.fromBase64(data));
      }, (screen) => shrink(screen, 320));
      assert.equal(image.width, 320);
      assert.ok(lit(image));
    });
    await t.step("as a picture for <img>", async () => {
      const response = await fetch(`${url}?thumbnail=true&at=1`);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("content-type"), "image/png");
      assert.equal(response.headers.get("x-content-type-options"), "nosniff");
      assert.equal(pngSize(await response.bytes()).width, 320);
      const foreign = await fetch(url, { headers: { "sec-fetch-site": "cross-site" } });
      assert.equal(foreign.status, 403);
      await foreign.body?.cancel();
      const wrong = await fetch(`${url}?thumbnail=maybe`);
      assert.equal(wrong.status, 400);
      await wrong.body?.cancel();
    });
    await t.step("30 who look at once get one picture, and a new one some seconds later", async () => {
      const many = await Promise.all(
        Array.from({ length: 30 }, () => call(server, "screenshot_vm", { vmId, thumbnail: true })),
      );
      assert.equal(new Set(many.map(({ takenAt }) => takenAt)).size, 1);
      await until("a new picture", async () => {
        const later = await call(server, "screenshot_vm", { vmId, thumbnail: true });
        return later.takenAt !== many[0]!.takenAt;
      }, { seconds: 10 });
    });
    await t.step("60 pictures leave no stream and no descriptor behind", async () => {
      const open = async () => (await Array.fromAsync(Deno.readDir(`/proc/${server.pid}/fd`))).length;
      const before = await open();
      for (let n = 0; n < 60; n++) {
        await (await fetch(`${url}?at=${n}`)).body?.cancel();
        if (n % 20 === 0) await delay(4100);
      }
      // Other work of the server has some open for a moment.
      await until("them to be closed", async () => await open() <= before + 6, {
        lastSeen: async () => `${before} descriptors became ${await open()}`,
      });
    });
    await t.step("paused, it still has a screen; off, it has none", async () => {
      await call(server, "pause_vm", { vmId });
      assert.equal((await call(server, "screenshot_vm", { vmId })).format, "image/png");
      await call(server, "force_stop_vm", { vmId });
      await refused(call(server, "screenshot_vm", { vmId }), "VmNotRunning", "VM is not running");
      const response = await fetch(url);
      assert.equal(response.status, 204, "that there is none is no failure of a page");
      const none = await fetch(url.replace(vmId, crypto.randomUUID()));
      assert.equal(none.status, 404);
      await none.body?.cancel();
    });
  },
});

Deno.test({
  name: "screenshot_vm() of a machine without a screen says so",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using vm = await testMachine({ purpose: "screenless", guest: false, start: true });
    await shows(server, vm.uuid, ({ state }) => state === "running");
    await refused(call(server, "screenshot_vm", { vmId: vm.uuid }), "NoScreen", /serial console/);
    await using bare = await testMachine({ purpose: "videoless", guest: false });
    const xml = (await virsh("dumpxml", "--inactive", bare.name)).replace(
      "</devices>",
      "<video><model type='none'/></video></devices>",
    );
    const path = `${filesOf(bare.name)}/none.xml`;
    await Deno.writeTextFile(path, xml);
    await virsh("define", path);
    await virsh("start", bare.name);
    await shows(server, bare.uuid, ({ state }) => state === "running");
    // It is QEMU that says so here, in other words than libvirt's.
    await refused(call(server, "screenshot_vm", { vmId: bare.uuid }), "NoScreen", /serial console/);
    await refused(call(server, "screenshot_vm", { vmId: crypto.randomUUID() }), "VmNotFound");
  },
});
