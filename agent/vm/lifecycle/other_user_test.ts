import assert from "node:assert/strict";
import { ContractError } from "../../../lib/contract/mod.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { planNvramMove } from "./named_files.ts";
import { otherUserOf } from "./other_user.ts";
import { localMachine } from "../../machine/machine.ts";

const HERE = localMachine("qemu:///system");

/** A folder of UEFI variables, and a link to it. */
async function folders() {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" }), link = `${folder}-link`;
  await Deno.symlink(folder, link);
  return {
    folder,
    link,
    [Symbol.asyncDispose]: async () => {
      for (const path of [link, folder]) await Deno.remove(path);
    },
  };
}

/** A host with the VM `u`, and another VM that names a path. */
function hostWith(path: string, left: readonly object[] = []): LibvirtHost {
  const vms = ["u", "v"].map((id) => ({ id, name: `vm-${id}`, disks: [], persistent: true }));
  return {
    id: "local",
    machine: HERE,
    link: { machine: HERE },
    bin: {
      all: () => [
        { name: "gone", vmId: "w", definition: { left } },
        { name: "before", vmId: "u", definition: { left: [{ target: "nvram", path: "/own", file: "1" }] } },
      ],
    },
    inventory: {
      everyVm: () => vms,
      active: () => [],
      record: (id: string) => ({ summary: { otherPaths: id === "u" ? ["/own"] : [path] } }),
    },
  } as unknown as LibvirtHost;
}

Deno.test("otherUserOf() finds another VM by whatever path it names the file, and what is in the bin; never the VM itself", async () => {
  await using place = await folders();
  const path = `${place.folder}/a_VARS.fd`;
  assert.equal(await otherUserOf(hostWith(`${place.link}/a_VARS.fd`), "u", path), "vm-v");
  assert.equal(await otherUserOf(hostWith("/other"), "u", path), undefined);
  assert.equal(await otherUserOf(hostWith("/other"), "u", "/own"), undefined);
  const binned = hostWith("/other", [{ target: "nvram", path, file: "1" }]);
  assert.equal(await otherUserOf(binned, "u", path), "gone, which is in the bin");
  assert.equal(
    await otherUserOf(hostWith("/other", [{ target: "vda", path, file: "1" }]), "u", path),
    undefined,
  );
});

Deno.test("planNvramMove() leaves UEFI variables where they are that another VM names", async () => {
  const from = "/var/lib/libvirt/qemu/nvram/kvmm-test-old_VARS.fd";
  const names = { uuid: "u", from: "kvmm-test-old", to: "kvmm-test-new" };
  const xml = (nvram: string) =>
    `<domain><name>kvmm-test-old</name><os firmware='efi'><type>hvm</type>${nvram}</os></domain>`;
  const named = xml(`<nvram>${from}</nvram>`);
  assert.equal(await planNvramMove(hostWith(from), named, names), null);
  assert.equal((await planNvramMove(hostWith("/other"), named, names))?.from, from);
  await assert.rejects(
    planNvramMove(hostWith(from), xml(""), names),
    (error) =>
      error instanceof ContractError && error.code === "RenameFailed" && error.message.includes("vm-v"),
  );
});
