/** Compares XML of create_vm with virt-install's for the same VM: every difference is intended. */
import assert from "node:assert/strict";
import { parseXml, type XmlElement } from "../../lib/formats/xml/tree.ts";
import { ensurePackages } from "../testbed/packages.ts";
import { call, readyServer } from "../testbed/product.ts";
import { run } from "../testbed/process.ts";
import { virsh } from "../testbed/virsh.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("guest") !== null;

/** Parts of our XML that virt-install's lacks, with the reason. docs/domain-xml.md says more. */
const ONLY_OURS: Readonly<Record<string, string>> = {
  "metadata/vm": "our own: tags, group, when it was made",
  "cpu[mode=maximum]": "QEMU's default CPU lacks what today's systems are compiled for",
  "features/vmport[state=off]": "an emulated VMware port no Linux or Windows guest needs: less to attack",
  "on_poweroff": "libvirt's default, said",
  "on_crash": "libvirt's default, said",
  "on_reboot=restart":
    "virt-install writes the first start of an installation; ours is the definition that stays",
  "devices/disk/backingStore": "no backing file, so QEMU opens none, whatever a guest writes into the image",
  "devices/disk/boot[order=1]": "boot order by device, so that it can be changed device by device",
  "devices/serial[type=pty]": "the same line: libvirt makes a console of the first serial port",
  "devices/channel/target[name=org.kvmmanager.agent.0]": "the channel of KVM Manager's own agent",
  "devices/graphics/listen[address=127.0.0.1]":
    "said, so that no libvirt default can open the screen to the network",
  "devices/memballoon/stats[period=5]": "the guest's own view of its memory",
};
/** Parts of virt-install's XML that ours lacks, with the reason. */
const ONLY_THEIRS: Readonly<Record<string, string>> = {
  "os/boot[dev=hd]": "boot order by device instead",
  "on_reboot=destroy": "of the first start of an installation alone",
  "devices/console[type=pty]": "the same line as our serial port",
  "devices/channel/source[mode=bind]": "libvirt's default",
};

/** Attributes that differ from run to run, or are written in another unit or form that means the same. */
const PASSED_OVER = new Set([
  ...["uuid", "address", "created", "unit", "port", "autoport", "file", "xmlns", "passwd"],
]);
const TEXTS = new Set(["on_reboot"]);

/** An element by its place and what it says: `devices/disk/target[bus=virtio][dev=vda]`. */
function* features(element: XmlElement, place = ""): Generator<string> {
  for (const each of element.children) {
    const name = each.name.replace(/^\w+:/, "");
    const at = place === "" ? name : `${place}/${name}`;
    const listens = name === "listen";
    const said = Object.entries(each.attributes)
      .filter(([key]) =>
        (!PASSED_OVER.has(key) || (listens && key === "address")) && !key.startsWith("xmlns")
      )
      .map(([key, value]) => `[${key}=${value}]`).sort().join("");
    yield at + said + (TEXTS.has(name) ? `=${each.text.trim()}` : "");
    yield* features(each, at);
  }
}

/** Whether a feature is among the explained: an entry names the attributes that matter. */
function explained(feature: string, table: Readonly<Record<string, string>>): boolean {
  return Object.keys(table).some((entry) => {
    const [place, ...parts] = entry.split(/(?=\[)/);
    return feature.replace(/\[.*$/, "") === place && parts.every((part) => feature.includes(part));
  });
}

const MADE_BY_VIRT_INSTALL = new Set(["default", "tmp"]);

/** virt-install defines pools for the folders it looks into, also when it only prints: they go when this is disposed of. */
async function poolsAsTheyAre(): Promise<AsyncDisposable> {
  const names = async () =>
    (await virsh("pool-list", "--all", "--name")).split("\n").filter((name) => name !== "");
  const before = new Set(await names());
  return {
    [Symbol.asyncDispose]: async () => {
      for (const name of await names()) {
        // Not of a test's name, so named here alone; the folders stay
        if (before.has(name) || !MADE_BY_VIRT_INSTALL.has(name)) continue;
        await virsh("pool-destroy", name);
        await virsh("pool-undefine", name);
      }
    },
  };
}

Deno.test({
  name: "create_vm makes what virt-install makes, but for what is meant",
  ignore,
  async fn() {
    await ensurePackages("virtinst");
    await using _ = await poolsAsTheyAre();
    await using server = await readyServer();
    const { resolved } = await call(server, "check_vm_config", {
      name: "kvmm-test-compare",
      osVariant: "debian11",
      memoryMb: 2048,
      cpuCount: 2,
      disks: [{ sizeGb: 20 }],
      nics: [],
    });
    assert(resolved, "the wish can be granted");
    const theirs = await run([
      "virt-install",
      ...["--connect", "qemu:///system", "--print-xml", "1", "--dry-run", "--name", "kvmm-test-compare"],
      "--memory",
      "2048",
      "--vcpus",
      "2",
      "--disk",
      "size=20,format=qcow2,path=/var/tmp/kvmm-test-none.qcow2",
      "--import",
      "--os-variant",
      "debian11",
      "--network",
      "none",
      "--graphics",
      "vnc",
      "--virt-type",
      "qemu",
    ]);
    const [left, right] = [resolved.xml, theirs].map((xml) => new Set(features(parseXml(xml))));
    assert(right!.size > 20, "virt-install wrote a whole machine");
    const onlyOurs = [...left!].filter((feature) => !right!.has(feature));
    const onlyTheirs = [...right!].filter((feature) => !left!.has(feature));
    assert.deepEqual(onlyOurs.filter((feature) => !explained(feature, ONLY_OURS)), [], "only in ours");
    assert.deepEqual(
      onlyTheirs.filter((feature) => !explained(feature, ONLY_THEIRS)),
      [],
      "only in virt-install's",
    );
    // An entry that explains nothing any more is a lie.
    const stale = Object.keys(ONLY_OURS).filter((entry) =>
      !onlyOurs.some((each) => explained(each, { [entry]: "" }))
    );
    assert.deepEqual(stale, [], "explained, and not there");
  },
});
