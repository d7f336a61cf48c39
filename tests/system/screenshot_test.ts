/** screenshot_vm and its picture: the very pixels virsh gets, bounded in size and in how often the screen is read. */
import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";
import { type Image, shrink } from "../../lib/png/image.ts";
import { decodePng, pngSize } from "../../lib/png/png.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf } from "../testbed/names.ts";
import { call, readyServer, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

const decode = (file: Uint8Array): Image =>
  decodePng(file, (bytes, most) => inflateSync(bytes, { maxOutputLength: most }));

/** How much two pictures of one size differ: the mean over all bytes. A blinking cursor is next to nothing. */
function difference(a: Image, b: Image): number {
  assert.deepEqual([a.width, a.height], [b.width, b.height]);
  return a.rgb.reduce((sum, byte, at) => sum + Math.abs(byte - b.rgb[at]!), 0) / a.rgb.length;
}

/** The pixels as virsh gets them. */
async function witness(name: string): Promise<Image> {
  const path = `${filesOf(name)}/screen.png`;
  await virsh("screenshot", name, path);
  return decode(await Deno.readFile(path));
}

Deno.test({
  name: "screenshot_vm() gives the pixels of the screen",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using vm = await testMachine({ purpose: "screen", guest: false, vnc: true, start: true });
    const vmId = vm.uuid;
    await shows(server, vmId, ({ state }) => state === "running");
    // The firmware writes on the screen, fails to boot, and then nothing changes any more.
    const lit = (image: Image) => image.rgb.some((byte) => byte > 100);
    let last = await witness(vm.name);
    await until("the firmware's last word", async () => {
      await delay(1500);
      const now = await witness(vm.name);
      const isStill = lit(now) && now.rgb.length === last.rgb.length && difference(now, last) < 0.2;
      last = now;
      return isStill;
    }, { seconds: 60 });
    const url = `${server.url}/api/v1/vms/${vmId}/screenshot.png`;

    await t.step("whole, as virsh gets it", async () => {
      const { format, width, height, takenAt, data } = await call(server, "screenshot_vm", { vmId });
      const image = decode(Uint8Array.fromBase64(data));
      assert.deepEqual([format, width, height], ["image/png", image.width, image.height]);
      assert.ok(difference(image, last) < 0.2, `they differ by ${difference(image, last)}`);
      assert.ok(lit(image), "nothing is on the screen");
      assert.ok(Math.abs(Date.now() - takenAt) < 20_000);
    });
    await t.step("as a thumbnail of at most 320 pixels, the same picture made smaller", async () => {
      const { data } = await call(server, "screenshot_vm", { vmId, thumbnail: true });
      const image = decode(Uint8Array.fromBase64(data));
      assert.equal(image.width, 320);
      assert.ok(difference(image, shrink(last, 320)) < 0.2);
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
      await delay(4500);
      const many = await Promise.all(
        Array.from({ length: 30 }, () => call(server, "screenshot_vm", { vmId, thumbnail: true })),
      );
      assert.equal(new Set(many.map(({ takenAt }) => takenAt)).size, 1);
      await delay(4500);
      const later = await call(server, "screenshot_vm", { vmId, thumbnail: true });
      assert.notEqual(later.takenAt, many[0]!.takenAt);
    });
    await t.step("60 pictures leave no stream and no descriptor behind", async () => {
      const open = async () => (await Array.fromAsync(Deno.readDir(`/proc/${server.pid}/fd`))).length;
      const before = await open();
      for (let n = 0; n < 60; n++) {
        await (await fetch(`${url}?at=${n}`)).body?.cancel();
        if (n % 20 === 0) await delay(4100);
      }
      assert.ok(await open() <= before + 6, `${before} descriptors became ${await open()}`);
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
    await refused(call(server, "screenshot_vm", { vmId: crypto.randomUUID() }), "VmNotFound");
  },
});
