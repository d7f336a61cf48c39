import assert from "node:assert/strict";
import { LibvirtError } from "../../../ffi/error.ts";
import { identityAt } from "../../operations/file_identity.ts";
import { Refused } from "../../operations/outcome.ts";
import type { Settlement } from "../../operations/settlement.ts";
import type { StepOf } from "../../operations/step.ts";
import { vmRenamed } from "./rename.ts";
import { localMachine } from "../../machine/machine.ts";

const HERE = localMachine("qemu:///system");

/** A libvirt with one VM that is off, and the file of its UEFI variables in a folder of the test's own. */
async function world({ name, file, fails }: { name: string; file: "old" | "new"; fails?: boolean }) {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const from = `${folder}/old_VARS.fd`, to = `${folder}/new_VARS.fd`;
  await Deno.writeTextFile(file === "old" ? from : to, "variables");
  const state = { name, nvram: from };
  const call = (call: string, args: { name: string; xml: string }) => {
    if (call === "domainRead") return Promise.resolve({ name: state.name, state: 5, reason: 1 });
    if (call === "domainListStates") return Promise.resolve([]);
    if (call === "domainRename") {
      if (fails) return Promise.reject(new LibvirtError({ kind: "libvirt", message: "no" }));
      state.name = args.name;
    }
    if (call === "domainXml") {
      return Promise.resolve(
        `<domain><name>${state.name}</name><os><type>hvm</type><nvram>${state.nvram}</nvram></os></domain>`,
      );
    }
    if (call === "domainDefine") state.nvram = /<nvram>(.*)<\/nvram>/.exec(args.xml)![1]!;
    return Promise.resolve(null);
  };
  const at = {
    vms: {
      machine: HERE,
      link: { machine: HERE, call },
      inventory: { vm: () => undefined, vmByName: () => undefined, refresh: () => Promise.resolve() },
    },
  } as unknown as Settlement;
  const step: StepOf<"vm-renamed"> = {
    kind: "vm-renamed",
    uuid: "u",
    from: "old",
    to: "new",
    nvram: { from, to, file: await identityAt(file === "old" ? from : to), isNamed: true },
  };
  const names = async () => (await Array.fromAsync(Deno.readDir(folder))).map((each) => each.name);
  return {
    at,
    step,
    state,
    from,
    to,
    names,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** States in which a rename can be cut short: the file goes first. */
const CUTS = [
  { name: "old", file: "old" },
  { name: "old", file: "new" },
  { name: "new", file: "new" },
] as const;

Deno.test("vmRenamed finishes a rename that was cut short at any point, its UEFI variables too", async () => {
  for (const cut of CUTS) {
    await using test = await world(cut);
    assert.equal((await vmRenamed.finish!(test.step, test.at)).did, "done");
    assert.deepEqual([test.state, await test.names()], [{ name: "new", nvram: test.to }, ["new_VARS.fd"]]);
  }
});

Deno.test("vmRenamed takes a rename back that was cut short at any point, or that libvirt refuses", async () => {
  for (const cut of CUTS) {
    await using test = await world(cut);
    await vmRenamed.undo!(test.step, test.at);
    assert.deepEqual([test.state, await test.names()], [{ name: "old", nvram: test.from }, ["old_VARS.fd"]]);
  }
  await using test = await world({ name: "old", file: "old", fails: true });
  await assert.rejects(vmRenamed.finish!(test.step, test.at), Refused);
  await vmRenamed.undo!(test.step, test.at);
  assert.deepEqual([test.state, await test.names()], [{ name: "old", nvram: test.from }, ["old_VARS.fd"]]);
});

Deno.test("vmRenamed leaves alone what has another name by now", async () => {
  await using test = await world({ name: "other", file: "old" });
  assert.deepEqual(await vmRenamed.finish!(test.step, test.at), { did: "nothing", stop: true });
  assert.deepEqual(await vmRenamed.undo!(test.step, test.at), { did: "nothing" });
  assert.deepEqual([test.state.name, await test.names()], ["other", ["old_VARS.fd"]]);
});
