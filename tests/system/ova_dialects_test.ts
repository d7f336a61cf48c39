/** Archives as other programs write them: manifests with harmless oddities, disks in other words, and disks that nothing uses. */
import assert from "node:assert/strict";
import { VMWARE } from "../../lib/formats/ovf/testing.ts";
import { claimedVm } from "../testbed/claimed_vm.ts";
import { virsh } from "../testbed/libvirt.ts";
import { filesOf } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null;

/** A description like VMware's of two disks in the archive. */
const OVF = VMWARE.replace('vmw:value="efi"', 'vmw:value="bios"').replace(">2048<", ">160<")
  .replace(/<File [^>]*ovf:href="web\.nvram"[^>]*>/, '<File ovf:href="web-disk2.vmdk" ovf:id="file2"/>')
  .replace('ovf:diskId="vmdisk2"', 'ovf:diskId="vmdisk2" ovf:fileRef="file2"');

Deno.test({
  name: "import_ova() reads the dialects of other programs, and imports no VM whose disks were all left out",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("ova-dialects");
    await using server = await readyServer();
    await using claim = await claimedVm("ova");
    const folder = filesOf(claim.name);
    await Deno.mkdir(folder, { recursive: true });
    const files = ["web-disk1.vmdk", "web-disk2.vmdk"];
    for (const [at, file] of files.entries()) {
      await run(["qemu-img", "create", "-q", "-f", "raw", `${folder}/plain`, `${at + 8}M`]);
      await run([
        ...["qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized"],
        `${folder}/plain`,
        `${folder}/${file}`,
      ]);
    }
    const sum = async (name: string, kind = "sha256") =>
      (await run([`${kind}sum`, `${folder}/${name}`])).split(" ")[0]!;
    /** Packs an archive of a description and a manifest. */
    const pack = async (ovf: string, manifest: string | null) => {
      await Deno.writeTextFile(`${folder}/web.ovf`, ovf);
      if (manifest !== null) await Deno.writeTextFile(`${folder}/web.mf`, manifest);
      const packed = ["web.ovf", ...(manifest === null ? [] : ["web.mf"]), ...files];
      await run(["tar", "--format=ustar", "-cf", `${pool.path}/web.ova`, "-C", folder, ...packed]);
      await virsh("pool-refresh", pool.name);
    };
    const archive = { pool: pool.name, volume: "web.ova" };
    /** Imports it, and takes the VM away again. @returns its disks' files in order, and the warnings */
    const imported = async (withoutDisks = false) => {
      const said = withoutDisks ? { withoutDisks } : {};
      const preview = await call(server, "inspect_ova", { ...archive, ...said });
      const made = await call(server, "import_ova", {
        ...archive,
        ...said,
        name: claim.name,
        nics: [{ leaveOut: true }],
      });
      const vm = await known(server, made.vmId);
      assert.equal(vm.disks.length, made.disks.length);
      await call(server, "delete_vm", { vmId: made.vmId, deleteDisks: true });
      const inOrder = made.disks.map(({ file }) => file);
      assert.deepEqual(preview.disks.map(({ file }) => file), inOrder, "the preview shows what is imported");
      return { files: inOrder, codes: made.warnings.map(({ code }) => code) };
    };

    await Deno.writeTextFile(`${folder}/web.ovf`, OVF);
    const [ovfSum, one, two] = [await sum("web.ovf"), await sum(files[0]!), await sum(files[1]!)];
    const nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const manifests: [string, string][] = [
      [
        "it lists itself",
        `SHA256 (web.mf) = ${nothing}\nSHA256 (web.ovf) = ${ovfSum}\nSHA256 (${files[0]}) = ${one}`,
      ],
      ["hyphens", `SHA-256(web.ovf)= ${ovfSum}\nSHA-256(${files[0]})= ${one}\n`],
      ["./", `SHA256(./web.ovf)= ${ovfSum}\nSHA256(./${files[0]})= ${one}\nSHA256(./${files[1]})= ${two}\n`],
      ["encoded", `SHA256(web%2Eovf)= ${ovfSum}\nSHA1(${files[0]})= ${await sum(files[0]!, "sha1")}\n`],
      ["sha256sum", `${ovfSum}  web.ovf\n${one} *${files[0]}\n`],
    ];
    for (const [what, manifest] of manifests) {
      await t.step(`a manifest that harms nothing: ${what}`, async () => {
        await pack(OVF, manifest);
        const { files: inOrder, codes } = await imported();
        assert.deepEqual(inOrder, files);
        assert(!codes.some((code) => code.startsWith("Manifest") || code === "NoManifest"), codes.join());
      });
    }

    await t.step("lines that say nothing are told of, and a file that is not there too", async () => {
      await pack(OVF, `CRC32(web.ovf)= 12345678\nSHA256(web.nvram)= ${nothing}\n`);
      const { codes } = await imported();
      assert(codes.includes("ManifestLineIgnored") && codes.includes("ManifestFileMissing"), codes.join());
    });

    await t.step("the preview refuses a description that is not what its checksum says", async () => {
      await pack(OVF, `SHA256(./web.ovf)= ${nothing}\n`);
      await refused(call(server, "inspect_ova", archive), "OvaDamaged", /web\.ovf/);
      await pack(OVF, `SHA-256(web%2Ddisk2.vmdk)= ${nothing}\n`);
      await refused(call(server, "import_ova", { ...archive, name: claim.name }), "OvaDamaged", /disk2/);
    });

    await t.step("disks as XenServer and others write them, the boot disk first", async () => {
      for (const type of ["19", "31", "99"]) {
        await pack(OVF.replaceAll(">17<", `>${type}<`), null);
        assert.deepEqual((await imported()).files, files);
      }
      // Hard disk 2, which comes first in the description, says no controller.
      await pack(OVF.replace("<rasd:Parent>3</rasd:Parent>", "<rasd:Parent/>"), null);
      assert.deepEqual((await imported()).files, files);
    });

    await t.step("no VM comes of an archive that loses all its disks, unless that is wanted", async () => {
      await pack(OVF.replaceAll(/<Item>(?:(?!<\/Item>)[^])*Hard disk[^]*?<\/Item>/g, ""), null);
      for (const command of ["inspect_ova", "import_ova"] as const) {
        await refused(call(server, command, archive), "OvaRefused", /none of its disks.*web-disk1.vmdk/);
      }
      const { files: none, codes } = await imported(true);
      assert.deepEqual(none, []);
      assert(codes.includes("DisksLeftOut"), codes.join());
    });

    await t.step("the preview tells what the import would refuse", async () => {
      await pack(OVF.replace(">160<", ">64<"), null);
      const { warnings } = await call(server, "inspect_ova", archive);
      assert(warnings.some(({ code }) => code === "InvalidMemorySize"), JSON.stringify(warnings));
      await refused(call(server, "import_ova", { ...archive, name: claim.name }), "InvalidMemorySize");
    });
  },
});
