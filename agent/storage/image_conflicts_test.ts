import assert from "node:assert/strict";
import type { VM } from "../../lib/contract/mod.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { log } from "../log.ts";
import { MountNotResponding } from "../mounts/guarded_mount.ts";
import { imageConflicts, requireOwnImages } from "./image_conflicts.ts";
import { localMachine } from "../machine/machine.ts";

/** The head of a qcow2 image that is built on another. Source: QEMU's docs/interop/qcow2.txt, "Header". */
function headOn(base: string): Uint8Array {
  const head = new Uint8Array(4096), view = new DataView(head.buffer), name = new TextEncoder().encode(base);
  view.setUint32(0, 0x514649fb); // magic
  view.setUint32(4, 3); // version
  view.setBigUint64(8, 512n); // offset of the name
  view.setUint32(16, name.length);
  view.setUint32(20, 16); // cluster bits
  view.setBigUint64(24, 1n << 20n); // size
  view.setUint32(100, 104); // header length
  head.set(name, 512);
  return head;
}

const vmOf = (id: string, source: string, format = "qcow2"): VM =>
  ({
    id,
    name: `vm-${id}`,
    state: "running",
    disks: [{ target: "vda", device: "disk", type: "file", source, format }],
  }) as unknown as VM;

/** This host, with VMs whose disks are in no pool. */
const hostOf = (vms: readonly VM[]): LibvirtHost =>
  ({
    machine: localMachine("qemu:///system"),
    keepers: { kept: () => [] },
    inventory: {
      everyVm: () => vms,
      vm: (id: string) => vms.find((vm) => vm.id === id),
      active: () => vms.map(({ id }) => id),
      record: () => undefined,
      storage: {
        isKnown: true,
        known: () => [],
        leftOverlays: () => [],
        records: () => [],
        peek: () => undefined,
        record: () => undefined,
      },
    },
  }) as unknown as LibvirtHost;

/** Has the system give no answer for what is below a folder, until disposed of. */
function hanging(folder: string): Disposable {
  const names = ["open", "stat", "realPath", "readDir"] as const, own = names.map((name) => Deno[name]);
  const answers: (() => void)[] = [];
  const never = () =>
    new Promise<never>((_, reject) => answers.push(() => reject(new Deno.errors.NotFound("it is over"))));
  for (const [index, name] of names.entries()) {
    const real = own[index] as (path: string | URL, ...rest: never[]) => unknown;
    Object.assign(Deno, {
      [name]: (path: string, ...rest: never[]) => path.startsWith(folder) ? never() : real(path, ...rest),
    });
  }
  return {
    [Symbol.dispose]: () => {
      for (const [index, name] of names.entries()) Object.assign(Deno, { [name]: own[index] });
      for (const answer of answers) answer();
    },
  };
}

/** Runs with what the log is told as a warning. */
async function warned(run: () => Promise<void>): Promise<string> {
  const { warn } = log, lines: string[] = [];
  log.warn = (message, fields) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  try {
    await run();
  } finally {
    log.warn = warn;
  }
  return lines.join("\n");
}

/** Milliseconds well below those of a start's own limit. */
const WELL_BELOW_MS = 3500;

Deno.test("a storage that hangs under other VMs hides no other conflict, and does not keep a VM off", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" }), at = (name: string) => `${folder}/${name}`;
  const away = `/dev/shm/kvmm-test-${crypto.randomUUID()}`; // another mount, as of a storage that hangs
  try {
    await Deno.writeFile(at("base.img"), new Uint8Array(512));
    await Deno.writeFile(at("free.img"), new Uint8Array(512));
    await Deno.writeFile(at("over.qcow2"), headOn(at("base.img")));
    await Deno.link(at("base.img"), at("hard.img"));
    const base = vmOf("base", at("base.img"), "raw"), free = vmOf("free", at("free.img"), "raw");
    const hung = Array.from({ length: 3 }, (_, index) => vmOf(`hung-${index}`, `${away}/hung-${index}/x`));
    const others = [...hung, vmOf("over", at("over.qcow2")), vmOf("hard", at("hard.img"), "raw")];
    const host = hostOf([base, free, ...others]);
    using _hang = hanging(away);
    const begun = performance.now();
    const told = await warned(async () => {
      const [conflicts] = await Promise.all([imageConflicts(host, base), requireOwnImages(host, free)]);
      assert.deepEqual(conflicts.map(({ user, isBase }) => [user.name, isBase]), [
        ["vm-over", true],
        ["vm-hard", false],
      ]);
    });
    const took = performance.now() - begun;
    assert.ok(took < WELL_BELOW_MS, `${took} ms`);
    assert.match(told, /not known in full.*"vm":"base".*hung-0/);
    assert.match(told, /not known in full.*"vm":"free".*hung-2/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what the mount gate refuses at once is named in the log, too", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" }), path = `${folder}/a.img`;
  const { stat } = Deno;
  try {
    await Deno.writeFile(path, new Uint8Array(512));
    const own = vmOf("own", path, "raw"), away = vmOf("away", `${folder}/away.img`, "raw");
    Deno.stat = (each) =>
      String(each).endsWith("away.img")
        ? Promise.reject(new MountNotResponding(folder, "now", true))
        : stat(each);
    const told = await warned(() => requireOwnImages(hostOf([own, away]), own));
    assert.match(told, /not known in full.*away\.img/);
  } finally {
    Deno.stat = stat;
    await Deno.remove(folder, { recursive: true });
  }
});
