import assert from "node:assert/strict";
import { stableName } from "./block_devices.ts";

Deno.test("stableName() is the name of the device itself, by UUID where there is one, and none of its content", async (t) => {
  const top = await Deno.realPath(await Deno.makeTempDir({ prefix: "kvmm-test-" }));
  try {
    const folder = `${top}/by-id`, mapper = `${top}/mapper`, folders = [`${top}/none`, folder, mapper];
    for (const each of [folder, mapper]) await Deno.mkdir(each);
    for (const device of ["sda", "sdb", "dm-0", "sdc"]) await Deno.writeTextFile(`${top}/${device}`, "");
    const links: Readonly<Record<string, string>> = {
      "by-id/wwn-0x5000": "sda",
      "by-id/ata-DISK_S1": "sda",
      "by-id/ata-DISK_S10": "sdb",
      "by-id/lvm-pv-uuid-aaaa": "sda",
      "by-id/lvm-pv-uuid-bbbb": "sdc",
      "by-id/dm-name-vg-lv": "dm-0",
      "by-id/dm-uuid-LVM-1": "dm-0",
      "by-id/ata-GONE": "sdz",
      "mapper/vg-lv": "dm-0",
      "mapper/c": "sdc",
    };
    for (const [link, device] of Object.entries(links)) await Deno.symlink(`../${device}`, `${top}/${link}`);
    const cases: Readonly<Record<string, string | undefined>> = {
      "sda": `${folder}/ata-DISK_S1`,
      "sdb": `${folder}/ata-DISK_S10`,
      "dm-0": `${folder}/dm-uuid-LVM-1`,
      "sdc": `${mapper}/c`,
      "sdd": undefined,
    };
    for (const [device, name] of Object.entries(cases)) {
      await t.step(device, async () => assert.equal(await stableName(`${top}/${device}`, folders), name));
    }
  } finally {
    await Deno.remove(top, { recursive: true });
  }
});
