/** Tests tools of profiles on a VM of a linked host: at once, and later by the state that a call has left there. */
import assert from "node:assert/strict";
import { type Principal, principalOf } from "../../agent/access.ts";
import { setLogLevel } from "../../agent/log.ts";
import { localPrincipal } from "../../agent/testing.ts";
import {
  type CommandName,
  ContractError,
  type Input,
  type Output,
  type ToolPermissions,
} from "../../lib/contract/mod.ts";
import { testFolder } from "../testbed/folder.ts";
import { type Linkable, linkable, linkTo } from "../testbed/linked.ts";
import { until } from "../testbed/wait.ts";

setLogLevel("error");

const DOMAIN = (name: string, uuid: string) =>
  `<domain type="test"><name>${name}</name><uuid>${uuid}</uuid><memory>65536</memory><vcpu>2</vcpu>` +
  `<os><type>hvm</type></os></domain>`;
const EVERYTHING = { kind: "everything" } as const;

const limits = (allowed_tools: string[], disallowed_tools: string[] = []): ToolPermissions => ({
  allowed_directories: [],
  allowed_tools,
  disallowed_tools,
});

/** The code and reason of a refusal; "done" where there is none. */
async function refusalOf(asked: Promise<unknown>): Promise<string> {
  try {
    await asked;
    return "done";
  } catch (error) {
    if (error instanceof ContractError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

/** Two KVM Managers, of which one acts on the other. VMs there: `mine` and `spare` are in a project here, `other` is in none. */
async function linkedPair() {
  await using undo = new AsyncDisposableStack();
  const folder = undo.use(await testFolder()), names = ["mine", "spare", "other"] as const;
  const [mine, spare, other] = names.map(() => crypto.randomUUID()) as [string, string, string];
  const domains = [mine, spare, other].map((id, at) => DOMAIN(names[at]!, id)).join("");
  await Deno.writeTextFile(`${folder.path}/node.xml`, `<node>${domains}</node>`);
  const far = undo.use(await linkable(`test://${folder.path}/node.xml`));
  const near = undo.use(await linkable("test:///default"));
  await linkTo(near, far);
  await until("it to be read", async () => (await near.api.getVms()).some(({ id }) => id === mine));
  const { id: project_id } = await near.api.createProject({ name: "lab" });
  for (const vmId of [mine, spare]) await near.api.setVmProject({ vmId, project: "lab" });
  const kept = undo.move();
  return { near, far, mine, spare, other, project_id, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

const callOn =
  (on: Linkable, principal: Principal, host?: string) =>
  <N extends CommandName>(command: N, input: Input<N>): Promise<Output<N>> =>
    on.app.dispatch(command, input, principal, undefined, host) as Promise<Output<N>>;

/** A schedule that runs by itself within a minute. */
const everyMinute = (name: string, vmIds: string[]): Input<"create_schedule"> => ({
  name,
  action: "stop",
  frequency: "cron",
  cron: "* * * * *",
  deadlineSeconds: 10,
  force: true,
  targets: { vmIds },
});

/** How the first run of a schedule ended for each VM. */
async function firstRun(far: Linkable, scheduleId: string): Promise<ReadonlyMap<string, string>> {
  const run = await until("the schedule to run by itself", async () => {
    const first = (await far.api.getScheduleHistory({ scheduleId })).at(-1);
    return first !== undefined && first.state !== "running" && first;
  }, { seconds: 100 });
  return new Map(run.results.map(({ vmId, outcome, message = "" }) => [vmId, `${outcome} ${message}`]));
}

Deno.test("profiles_linked: tools of a project hold on a linked host, for what is done there and for what is left there", async () => {
  await using pair = await linkedPair();
  const { near, far, mine, spare, other, project_id } = pair;
  const root = localPrincipal("socket"), asRoot = callOn(near, root);
  const { id: userId } = await asRoot("create_user", {
    name: "ci-bot",
    grants: [{ role: "operator", on: EVERYTHING }],
  });
  await asRoot("set_tool", { tool_type: "agent", name: "ci", account: "ci-bot" });
  const permissions = limits(["get_*", "list_*", "set_tags", "create_schedule"]);
  for (
    const tool of [{ name: "ci", tool_type: "agent" }, { name: "kvm-manager", tool_type: "mcp" }] as const
  ) {
    await asRoot("add_local_tool", { project_id, tool_ref: { ...tool, source_scope: null, permissions } });
  }
  const { accounts } = near.app.access;
  const bot = principalOf({
    name: "ci-bot",
    userId,
    door: "api",
    via: "session",
    rights: accounts.rightsOf(accounts.users.get(userId)!),
  });
  const asBot = callOn(near, bot, "far");
  const asMcp = callOn(near, { ...root, door: "mcp", client: "assistant 1.0" }, "far");

  // The automation account: what its agent may, on VMs of its project
  await asBot("set_tags", { vmId: mine, tags: ["its"] });
  assert.match(await refusalOf(asBot("force_stop_vm", { vmId: mine })), /^ToolNotAllowed: agent ci/);
  assert.match(await refusalOf(asBot("set_tags", { vmId: other, tags: [] })), /^VmNotFound/);
  const ofBot = await asBot("create_schedule", everyMinute("bot's", [mine]));

  // MCP: the other one has its own switch, which is off
  assert.match(await refusalOf(asMcp("set_tags", { vmId: other, tags: ["a"] })), /lets no program change/);
  await asMcp("get_vm", { vmId: other });
  await far.api.updateMcpAccess({ enabled: true, acting: true });
  await asMcp("set_tags", { vmId: other, tags: ["a"] });
  await asMcp("set_tags", { vmId: mine, tags: ["a"] });
  assert.match(await refusalOf(asMcp("force_stop_vm", { vmId: mine })), /^ToolNotAllowed: mcp kvm-manager/);
  const audit = (await far.api.getAuditLog({ limit: 50 })).filter(({ action }) => action === "set_tags");
  assert.deepEqual(audit.map(({ door, client, result }) => [door, client, result]), [
    ...["ok", "ok", "error"].map((result) => ["mcp", "assistant 1.0", result]),
    ["api", null, "ok"],
  ]);
  const ofMcp = await asMcp("create_schedule", everyMinute("mcp's", [mine, other]));
  const ofRoot = await callOn(near, root, "far")("create_schedule", everyMinute("root's", [spare]));
  assert.equal((await far.api.listSchedules()).length, 3, "they are on the linked host");

  // What they left there has the limits that were told with it
  assert.match((await firstRun(far, ofBot.id)).get(mine) ?? "", /^failed agent ci may not use/);
  const byMcp = await firstRun(far, ofMcp.id);
  assert.match(byMcp.get(mine) ?? "", /^failed mcp kvm-manager may not use/);
  assert.match(byMcp.get(other) ?? "", /^(done|forced)/);
  assert.match((await firstRun(far, ofRoot.id)).get(spare) ?? "", /^(done|forced)/);
  assert.equal((await far.api.getVm({ vmId: mine })).state, "running");
  for (const { id: scheduleId } of [ofBot, ofMcp, ofRoot]) await far.api.deleteSchedule({ scheduleId });

  // Tools of the other one's own projects hold as well, for what MCP has left here, too
  const { id: theirs } = await far.api.createProject({ name: "theirs" });
  await far.api.setVmProject({ vmId: other, project: "theirs" });
  await far.api.addLocalTool({
    project_id: theirs,
    tool_ref: { name: "s", tool_type: "skill", source_scope: null, permissions: null },
  });
  assert.match(await refusalOf(asMcp("set_tags", { vmId: other, tags: ["b"] })), /is none of them/);
  const asLeft = callOn(near, { ...root, door: "schedule", leftByMcp: true });
  assert.match(await refusalOf(asLeft("set_tags", { vmId: other, tags: ["b"] })), /is none of them/);
  assert.match(await refusalOf(asLeft("force_stop_vm", { vmId: mine })), /mcp kvm-manager may not use/);
  await callOn(near, root)("set_tags", { vmId: other, tags: ["b"] });
});
