/**
 * A VM that runs and writes to an image that libvirt does not know, as a libvirtd leaves it that is killed in the moment in
 * which QEMU goes over to the image of a snapshot: QEMU is told to go over by its own monitor.
 */
import assert from "node:assert/strict";
import { basename } from "node:path";
import { virsh } from "./libvirt.ts";
import type { TestMachine } from "./machine.ts";
import { filesOf } from "./names.ts";
import { run } from "./process.ts";

/** Names of the nodes of a new image. */
const nodesOf = (over: string) => {
  const name = basename(over).slice(-20).replaceAll(/[^a-z0-9-]/g, "-");
  return { file: `s-${name}`, format: `f-${name}` };
};

async function ask(name: string, execute: string, args: unknown = {}): Promise<unknown> {
  const said = JSON.parse(
    await virsh("qemu-monitor-command", name, JSON.stringify({ execute, arguments: args })),
  );
  assert.equal(said.error, undefined, JSON.stringify(said.error));
  return said.return;
}

/** A block device of QEMU, as far as it is looked at. */
interface BlockDevice {
  readonly inserted?: { readonly file: string; readonly "node-name": string };
}

/** Has the QEMU of a VM open an image that is there, and not use it. */
export async function openNode(name: string, over: string): Promise<void> {
  const { file, format } = nodesOf(over);
  await Deno.chmod(over, 0o666);
  await ask(name, "blockdev-add", { driver: "file", filename: over, "node-name": file });
  await ask(name, "blockdev-add", { driver: "qcow2", file, "node-name": format, backing: null });
}

/** Has QEMU go over from the image of a disk to one that it has open. */
export async function switchNode(name: string, head: string, over: string): Promise<void> {
  const devices = await ask(name, "query-block") as BlockDevice[];
  const node = devices.find(({ inserted }) => inserted?.file === head)?.inserted?.["node-name"];
  assert.ok(node, `no disk is on ${head}`);
  await ask(name, "blockdev-snapshot", { node, overlay: nodesOf(over).format });
}

/**
 * Has QEMU go over to a new image, and the next start use it, as the settlement of such a snapshot does.
 *
 * @param head path of the image that a disk is on @param over path of the new one
 */
export async function goneOver(
  { name }: Pick<TestMachine, "name">,
  { head, format = "qcow2", over }: {
    readonly head: string;
    readonly format?: "raw" | "qcow2";
    readonly over: string;
  },
): Promise<void> {
  const file = `${filesOf(name)}/next.xml`;
  const before = await virsh("dumpxml", name, "--inactive", "--security-info");
  await run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", head, "-F", format, "-u", over, "8M"]);
  await openNode(name, over);
  await switchNode(name, head, over);
  const [disk] = before.match(/<disk [\s\S]*?<\/disk>/g)!.filter((each) => each.includes(`'${head}'`));
  const next = disk!.replace(/<backingStore[\s\S]*<\/backingStore>/, "").replace(`'${head}'`, `'${over}'`)
    .replace(`type='${format}'`, "type='qcow2'");
  await Deno.writeTextFile(file, before.replace(disk!, next));
  await virsh("define", file);
}
