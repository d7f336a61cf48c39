import { render } from "../i18n/message.ts";
import assert from "node:assert/strict";
import type { Disk, VM } from "../contract/vm.ts";
import { parseXml } from "../formats/xml/tree.ts";
import {
  externalRevertHindrance,
  keptDisks,
  revertHindrance,
  snapshotKind,
  snapshotNameAt,
} from "./snapshots.ts";

const disk = (change: Partial<Disk> = {}): Disk => ({
  target: "vda",
  bus: "virtio",
  device: "disk",
  type: "file",
  source: "/a.qcow2",
  format: "qcow2",
  readOnly: false,
  shareable: false,
  ...change,
});
const vm = (change: Partial<VM> = {}) => ({
  persistent: true,
  firmware: "bios" as const,
  disks: [disk()],
  state: "running" as const,
  ...change,
});
const domain = (devices = "", more = "") => parseXml(`<domain>${more}<devices>${devices}</devices></domain>`);
const PASSED =
  "<hostdev mode='subsystem' type='pci'><source><address domain='0x0' bus='0x3'/></source></hostdev>";

Deno.test("snapshotKind() keeps it within the disks where it can, else outside them, and says why", () => {
  const of = (change: Partial<VM>, devices = "", isExternal?: boolean, disksOnly = false) => {
    const present = isExternal === undefined ? [] : [{ isExternal }];
    const kind = snapshotKind(
      { vm: vm(change), domain: domain(devices), present, encrypted: ["vde"] },
      disksOnly,
    );
    if (kind.kind === "internal") return kind.kind;
    const reason = render(kind.reason);
    return kind.kind === "external" ? `external: ${reason}` : reason;
  };
  assert.equal(of({}), "internal");
  assert.equal(of({ state: "stopped" }, PASSED), "internal");
  assert.equal(of({ state: "stopped" }, "", undefined, true), "internal", "no memory is left out");
  assert.equal(of({ disks: [disk(), disk({ target: "sda", device: "cdrom", format: "raw" })] }), "internal");
  assert.match(of({ firmware: "uefi" }), /^external: .*UEFI/);
  assert.match(of({ disks: [disk(), disk({ target: "vdb", format: "raw" })] }), /^external: disk vdb is raw/);
  assert.match(of({}, PASSED), /^external: .*device of the host/);
  assert.match(of({}, "", undefined, true), /^external: .*memory is left out/);
  assert.match(of({}, "", true), /^external: the VM has external snapshots/);
  assert.match(of({ persistent: false }), /^the VM is transient/);
  assert.match(of({ disks: [] }), /no disk/);
  assert.match(of({ disks: [disk({ readOnly: true })] }), /no disk/);
  assert.match(of({ disks: [disk({ format: "vmdk" })] }), /disk vda is vmdk: only qcow2 and raw/);
  assert.match(of({ disks: [disk({ shareable: true })] }), /disk vda is shared/);
  assert.match(of({ disks: [disk({ target: "vde" })] }), /disk vde is encrypted/);
  assert.match(of({ state: "suspended" }), /suspended/);
  assert.match(of({ firmware: "uefi" }, "", false), /internal snapshots: delete those first/);
  assert.match(of({ disks: [disk({ format: "raw", type: "block" })] }), /disk vda is not a file/);
});

Deno.test("externalRevertHindrance() wants the same disks, as files, and no memory", () => {
  const external = { ...disk(), path: "/a.raw", overlay: "/b.qcow2", format: "raw" };
  const of = (change: Partial<Parameters<typeof externalRevertHindrance>[0]>, disks = [disk()]) =>
    render(externalRevertHindrance({ memory: "no", externalDisks: [external], ...change }, disks) ?? "");
  assert.equal(of({}), "");
  assert.match(of({ memory: "external" }), /external, and so is its memory/);
  assert.match(of({}, [disk({ target: "vdb" })]), /disk vda is not the VM's any more/);
  assert.match(of({}, [disk(), disk({ target: "vdb" })]), /does not have disk vdb/);
  assert.match(of({ externalDisks: [{ ...external, type: "block" }] }), /no file/);
  assert.match(of({ externalDisks: [{ ...external, format: "vmdk" }] }), /no file/);
});

Deno.test("keptDisks() are those that are written to", () => {
  const cd = disk({ target: "sda", device: "cdrom" }), empty = disk({ target: "vdb" });
  delete (empty as { source?: string }).source;
  assert.deepEqual(keptDisks([disk(), cd, empty, disk({ target: "vdc", readOnly: true })]), [disk()]);
});

const DISK =
  "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/a.qcow2' index='1'/><target dev='vda'/></disk>";
const NIC =
  "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/></interface>";

Deno.test("revertHindrance() lets the same devices pass, however a run reports them", () => {
  const then = domain(
    `${
      DISK.replace(" index='1'", "")
    }<interface type='bridge'><source network='default' bridge='virbr0'/></interface>` +
      "<serial type='pty'><source path='/dev/pts/4'/></serial>",
  );
  assert.equal(revertHindrance({ domains: [then] }, [domain(DISK + NIC)]), undefined);
});

Deno.test("revertHindrance() minds disks for all, and what else is reached for who is no administrator", () => {
  const of = (then: string, now: string, more = "") =>
    revertHindrance({ domains: [domain(then, more)] }, [domain(now)]);
  assert.match(render(of(DISK.replace("/a", "/other"), DISK)?.reason), /disk vda is not the VM's any more/);
  assert.match(render(of(DISK.replace("'qcow2'", "'raw'"), DISK)?.reason), /disk vda/);
  assert.match(render(of(DISK, DISK + DISK.replaceAll("vda", "vdb"))?.reason), /disk vdb was added since/);
  const beyond = [
    NIC.replaceAll("network", "bridge"),
    NIC.replace("default", "other"),
    PASSED,
    "<filesystem type='mount'><source dir='/etc'/></filesystem>",
    "<disk type='file' device='cdrom'><source file='/secret.iso'/><target dev='sda'/></disk>",
    "<serial type='tcp'><source mode='connect' host='10.0.0.1'/></serial>",
  ];
  for (const more of beyond) {
    assert.equal(of(DISK + more, DISK)?.forOthers, true, more);
    assert.equal(of(DISK + more, DISK + more), undefined, more);
    assert.equal(of(DISK, DISK + more), undefined, `less is no harm: ${more}`);
  }
  const share = beyond[3]!,
    held = revertHindrance(
      { domains: [domain(DISK + share)] },
      [DISK, DISK + share].map((now) => domain(now)),
    );
  assert.equal(held?.forOthers, true, "a device that only runs was taken away from the next start on");
  assert.equal(of(DISK, DISK, "<os><kernel>/boot/vmlinuz</kernel></os>")?.forOthers, true);
  assert.equal(
    of(DISK, DISK, "<qemu:commandline><qemu:arg value='-x'/></qemu:commandline>")?.forOthers,
    true,
  );
});

Deno.test("revertHindrance() minds what a card's filter lets through: its parameters, and the card's address", () => {
  const card = (mac: string, ip: string) =>
    `<interface type='network'><mac address='52:54:00:00:00:0${mac}'/><source network='default'/>` +
    `<filterref filter='clean-traffic'><parameter name='IP' value='10.0.0.${ip}'/></filterref></interface>`;
  const of = (then: string) =>
    revertHindrance({ domains: [domain(DISK + then)] }, [domain(DISK + card("1", "2"))]);
  assert.equal(of(card("1", "2")), undefined);
  for (const then of [card("1", "3"), card("2", "2")]) {
    assert.match(render(of(then)?.reason), /other devices, networks or media/);
  }
});

Deno.test("snapshotNameAt() is a name that the contract takes", () => {
  assert.equal(snapshotNameAt(Date.UTC(2026, 10, 22, 9, 8, 7)), "snapshot-20261122-090807");
});
