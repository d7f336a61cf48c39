/** A project with a VM of a linked host: it counts, members have rights to it there alone, and the other side has its own projects. */
import assert from "node:assert/strict";
import { principalOf } from "../../agent/access.ts";
import { setLogLevel } from "../../agent/log.ts";
import { layerOf } from "../../lib/access/rights.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { linkable, linkTo } from "../testbed/linked.ts";
import { testFolder } from "../testbed/folder.ts";
import { until } from "../testbed/wait.ts";

setLogLevel("error");

const DOMAIN = (name: string, uuid: string) =>
  `<domain type="test"><name>${name}</name><uuid>${uuid}</uuid><memory>65536</memory><vcpu>2</vcpu>` +
  `<os><type>hvm</type></os></domain>`;

const codeOf = async (asked: Promise<unknown>): Promise<string> => {
  try {
    await asked;
    return "done";
  } catch (error) {
    if (error instanceof ContractError) return error.code;
    throw error;
  }
};

Deno.test("a VM of a linked host is in a project here: rights and usage go by it, and the other side's do not", async () => {
  await using folder = await testFolder();
  const [mine, other] = [crypto.randomUUID(), crypto.randomUUID()];
  const file = `${folder.path}/node.xml`;
  await Deno.writeTextFile(file, `<node>${DOMAIN("mine", mine)}${DOMAIN("other", other)}</node>`);
  await using far = await linkable(`test://${file}`);
  await using near = await linkable("test:///default");
  await linkTo(near, far);
  await until("it to be read", async () => (await near.api.getVms()).some(({ id }) => id === mine));
  const { id: project } = await near.api.createProject({ name: "shop", quota: { vms: 1 } });
  const theirs = await far.api.createProject({ name: "theirs" });
  await far.api.setVmProject({ vmId: other, project: "theirs" });

  assert.deepEqual(await near.api.setVmProject({ vmId: mine, project: "shop" }), {
    project: { id: project, name: "shop" },
  });
  assert.equal((await near.api.getVm({ vmId: mine })).project?.name, "shop");
  assert.equal((await far.api.getVm({ vmId: mine })).project, undefined, "a project is of one KVM Manager");
  assert.equal((await near.api.getVm({ vmId: other })).project, undefined, "and so is theirs");
  assert.deepEqual((await near.api.getVms({ project: "shop" })).map(({ id }) => id), [mine]);
  assert.deepEqual((await near.api.getVms({ project: "shop", host: "far" })).map(({ id }) => id), [mine]);
  assert.deepEqual((await near.api.listProjects()).map(({ usage }) => [usage.vms, usage.cpus]), [[1, 2]]);
  assert.equal(await codeOf(near.api.setVmProject({ vmId: other, project: "shop" })), "QuotaExceeded");

  const member = (projectId: string) =>
    near.app.apiFor(principalOf({
      name: "ann",
      via: "session",
      door: "api",
      rights: [layerOf([{ role: "operator", on: { kind: "project", project: projectId } }], new Map())],
    }));
  const ann = member(project);
  assert.deepEqual((await ann.getVms()).map(({ id }) => id), [mine]);
  await ann.setTags({ vmId: mine, tags: ["hers"] });
  await until("the tag", async () => (await near.api.getVm({ vmId: mine })).tags.includes("hers"));
  assert.equal(await codeOf(ann.setTags({ vmId: other, tags: ["no"] })), "VmNotFound");
  // The id of a project of the other KVM Manager opens nothing there
  assert.equal(await codeOf(member(theirs.id).setTags({ vmId: other, tags: ["no"] })), "VmNotFound");

  // While the host is away its VM counts
  await far.unlisten();
  await near.api.deleteProject({ projectId: project });
  // Lists are what is known of it; get_vm asks the host itself
  assert.equal((await near.api.getVms()).find(({ id }) => id === mine)!.project, undefined);
  assert.equal(await codeOf(ann.getVm({ vmId: mine })), "VmNotFound");
});
