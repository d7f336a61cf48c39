/** Templates are copied between two hosts, also when the line breaks; what comes is judged there. */
import assert from "node:assert/strict";
import { migrationHosts, randomImage } from "../testbed/migration_hosts.ts";
import { run } from "../testbed/process.ts";
import { call, known, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;

/** SHA-256 of what a guest sees of an image. */
async function content(path: string): Promise<string> {
  const raw = await Deno.makeTempFile();
  try {
    await run(["qemu-img", "convert", "-U", "-O", "raw", path, raw]);
    return (await run(["sha256sum", raw])).split(" ")[0]!;
  } finally {
    await Deno.remove(raw);
  }
}

Deno.test({
  name: "a template is copied to another host, where VMs are made of it; what comes is judged",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts, disks = [];
    for (const name of ["a.qcow2", "b.qcow2"]) {
      disks.push({ path: await randomImage(from, name, 96), format: "qcow2", bus: "virtio" } as const);
    }
    const vm = await from.libvirt.machine({ disks });
    await known(from.server, vm.uuid);
    await call(from.server, "refresh_storage_pool", { pool: "images" });
    const web = await call(from.server, "create_template", {
      name: "web",
      description: "two",
      vmId: vm.uuid,
    });
    const templateId = web.id, at = { templateId, toHost: "there", toPool: "images" };
    const imagesOf = ({ versions }: typeof web) => versions[0]!.disks.map(({ volume }) => volume);

    await t.step("its line is cut twice: it goes on, and each disk has the same content", async () => {
      const copy = call(from.server, "copy_template_to_host", at);
      let last = 0;
      for (let cuts = 0; cuts < 2; cuts++) {
        await until("it to go on", async () => {
          const jobs = await call(from.server, "list_jobs", { open: true });
          const { doneBytes = 0 } = jobs.find(({ command }) => command === "copy_template_to_host") ?? {};
          if ((doneBytes ?? 0) <= last + 20 * 1024 ** 2) return false;
          last = doneBytes ?? 0;
          return true;
        }, { every: 10 });
        to.line.cut();
      }
      const made = await copy;
      assert.deepEqual([made.host, made.name, made.pool], ["there", "web", "images"]);
      const there = await call(to.server, "get_template", { templateId: made.templateId });
      assert.deepEqual([there.description, there.versions.length, there.versions[0]!.version], ["two", 1, 1]);
      assert.deepEqual(
        there.versions[0]!.disks.map(({ target, capacityBytes }) => [target, capacityBytes]),
        web.versions[0]!.disks.map(({ target, capacityBytes }) => [target, capacityBytes]),
      );
      for (const [index, volume] of imagesOf(there).entries()) {
        assert.equal(
          await content(`${to.images}/${volume}`),
          await content(`${from.images}/${imagesOf(web)[index]}`),
        );
      }
      assert.deepEqual(await call(to.server, "list_uploads", { pool: "images" }), []);
    });

    await t.step("a VM is made of it there, and its volumes are protected", async () => {
      const [there] = await call(to.server, "list_templates");
      const { vms } = await call(to.server, "create_vm_from_template", {
        templateId: there!.id,
        name: "web-1",
        start: true,
      });
      assert.equal(await to.libvirt.virsh("domstate", vms[0]!.name), "running");
      await refused(
        call(to.server, "delete_volume", { pool: "images", volume: imagesOf(there!)[0]! }),
        "VolumeInUse",
      );
      assert.notDeepEqual(imagesOf(there!), imagesOf(web));
    });

    await t.step("what cannot be is refused, and leaves nothing", async () => {
      const before = await to.volumes();
      await refused(call(from.server, "copy_template_to_host", at), "TemplateExists");
      await refused(call(from.server, "copy_template_to_host", { ...at, toHost: "local" }), "InvalidInput");
      await refused(call(from.server, "copy_template_to_host", { ...at, toHost: "nowhere" }), "HostNotFound");
      await refused(
        call(from.server, "copy_template_to_host", { ...at, name: "other", toPool: "none" }),
        "InvalidInput",
        /Choose one of/,
      );
      await refused(
        call(from.server, "copy_template_to_host", { ...at, name: "other", version: 9 }),
        "TemplateVersionNotFound",
      );
      const copy = refused(
        call(from.server, "copy_template_to_host", { ...at, name: "other" }),
        "JobCancelled",
      );
      const job = await until("it to have begun", async () => {
        const jobs = await call(from.server, "list_jobs", { open: true });
        const found = jobs.find(({ command }) => command === "copy_template_to_host");
        return (found?.doneBytes ?? 0) > 100 * 1024 ** 2 ? found : null;
      }, { every: 10 });
      await call(from.server, "cancel_job", { jobId: job!.id });
      await copy;
      await until("nothing of it", async () => (await to.volumes()).join() === before.join());
      assert.equal((await call(to.server, "list_templates")).length, 1);
    });

    await t.step(
      "a definition or a volume that would reach into the host is refused, or left out",
      async () => {
        const { definition } = await call(from.server, "export_template", { templateId });
        const own = `${to.images}/own.qcow2`;
        await run(["qemu-img", "create", "-q", "-f", "qcow2", own, "4M"]);
        await run(["cp", own, `${to.images}/second.qcow2`]);
        await run(
          ["qemu-img", "create", "-q", "-f", "qcow2", "-u", "-b", "/etc/passwd", "-F", "raw"].concat(
            `${to.images}/trap.qcow2`,
            "4M",
          ),
        );
        await call(to.server, "refresh_storage_pool", { pool: "images" });
        const wish = (vda: string, xml = definition) => ({
          name: "forged",
          pool: "images",
          definition: xml,
          disks: [{ target: "vda", volume: vda }, { target: "vdb", volume: "second.qcow2" }],
        });
        const importing = (...args: Parameters<typeof wish>) =>
          call(to.server, "import_template", wish(...args));
        await refused(importing("trap.qcow2"), "DiskRefused", /in no storage pool/);
        const [there] = await call(to.server, "list_templates");
        await refused(importing(imagesOf(there!)[0]!), "VolumeInUse");
        await refused(importing("second.qcow2"), "TemplateFailed", /named twice/);
        await refused(importing("own.qcow2", "<domain/>"), "TemplateFailed", /has the disks/);
        await refused(importing("own.qcow2", "<network/>"), "TemplateRefused");
        await refused(
          importing(
            "own.qcow2",
            definition.replace("</devices>", "<hostdev mode='subsystem' type='pci'/></devices>"),
          ),
          "TemplateRefused",
          /device of this host/,
        );
        assert.equal((await call(to.server, "list_templates")).length, 1);
        const made = await importing(
          "own.qcow2",
          definition.replace(
            "</devices>",
            "<disk type='file' device='cdrom'><source file='/etc/shadow'/><target dev='sdz' bus='sata'/></disk></devices>",
          ),
        );
        const kept = await call(to.server, "export_template", { templateId: made.id });
        assert.doesNotMatch(kept.definition, /shadow|a\.qcow2/);
        assert.match(kept.definition, /own\.qcow2/);
      },
    );
  },
});
