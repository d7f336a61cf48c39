import assert from "node:assert/strict";
import { SYSTEM_CLOCK } from "../clock.ts";
import type { ActivityEntry } from "../store/activity.ts";
import { HookQueue } from "./hook_queue.ts";
import { Hooks } from "./hooks.ts";
import type { StoredTool } from "./records.ts";

const toolOf = (program: string): StoredTool => ({
  id: "hook\nh",
  name: "h",
  tool_type: "hook",
  description: "",
  enabled: true,
  parameters: [],
  steps: [],
  event: "vm-created",
  program,
  arguments: [],
  privateAddresses: false,
});

const created = (id: string) => ["vm-created", { vm: { id, name: id, state: "stopped" } }] as never;

/** Runs a hook's program once. @returns its entry in the activity */
async function ran(folder: string, program: string, allowed_directories: string[]): Promise<ActivityEntry> {
  const told = Promise.withResolvers<ActivityEntry>();
  const tool = toolOf(program),
    permissions = { allowed_directories, allowed_tools: [], disallowed_tools: [] };
  const hooks = new Hooks({
    toolsOf: () => [{ name: "h", tool_type: "hook", source_scope: null, permissions }],
    tool: () => tool,
    projectOf: () => ({ id: "p", name: "lab" }),
    vm: () => undefined,
    programs: folder,
    resolved: (path) => Deno.realPath(path),
    clock: SYSTEM_CLOCK,
    record: told.resolve,
  });
  hooks.follow([created("v")]);
  const entry = await told.promise;
  hooks.stop();
  return entry;
}

Deno.test("Hooks: a program is within allowed_directories by where it is, whatever its path says", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-hooks-" });
  try {
    await Deno.chmod(folder, 0o755);
    for (const each of ["own", "other"]) {
      await Deno.mkdir(`${folder}/${each}`);
      await Deno.writeTextFile(`${folder}/${each}/run`, "#!/bin/sh\n");
      for (const path of [each, `${each}/run`]) await Deno.chmod(`${folder}/${path}`, 0o755);
    }
    await Deno.symlink(`${folder}/other/run`, `${folder}/own/link`);
    await Deno.symlink(`${folder}/own`, `${folder}/way`);
    for (const program of ["own/../other/run", "own/link", "other/run"]) {
      const { action } = await ran(folder, `${folder}/${program}`, [`${folder}/own`]);
      assert.equal(action, "hook-failed", program);
    }
    for (const directory of ["own", "own/", "way"]) {
      const { action } = await ran(folder, `${folder}/own/run`, [`${folder}/${directory}`]);
      assert.equal(action, "hook-run", directory);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("HookQueue: projects take turns, and one has as many runs that wait as it may", async () => {
  const queue = new HookQueue(2), order: string[] = [], first = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  const add = (project: string, name: string) =>
    queue.add(project, async () => {
      if (name === "a1") await first.promise;
      order.push(name);
      if (order.length === 5) over.resolve();
    });
  assert.deepEqual(["a1", "a2", "a3", "a4", "b1", "c1"].map((name) => add(name[0]!, name)), [
    ...[true, true, true, false, true, true],
  ]);
  first.resolve();
  await over.promise;
  assert.deepEqual(order, ["a1", "a2", "b1", "c1", "a3"]);
  await new Promise<void>((done) => queue.add("a", () => Promise.resolve(done())));
});

Deno.test("Hooks: a project that causes events without end takes no runs from another", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-hooks-" });
  try {
    await Deno.chmod(folder, 0o755);
    await Deno.writeTextFile(`${folder}/run`, "#!/bin/sh\n");
    await Deno.chmod(`${folder}/run`, 0o755);
    const tool = toolOf(`${folder}/run`), entries: ActivityEntry[] = [];
    const over = Promise.withResolvers<void>();
    const hooks = new Hooks({
      toolsOf: () => [{ name: "h", tool_type: "hook", source_scope: null, permissions: null }],
      tool: () => tool,
      projectOf: (vmId) => ({ id: vmId[0]!, name: vmId[0]! }),
      vm: () => undefined,
      programs: folder,
      resolved: (path) => Deno.realPath(path),
      clock: SYSTEM_CLOCK,
      record: (entry) => {
        entries.push(entry);
        if (entry.vmId === "b0" && entry.action === "hook-run") over.resolve();
      },
    });
    hooks.follow(Array.from({ length: 200 }, (_, at) => created(`a${at % 50}`)));
    hooks.follow([created("b0")]);
    await over.promise;
    hooks.stop();
    const runs = entries.filter(({ action }) => action === "hook-run").map(({ vmId }) => vmId);
    assert.ok(runs.indexOf("b0") <= 2, JSON.stringify(runs));
    const held = entries.filter(({ action }) => action === "hook-held");
    assert.deepEqual(held.map(({ vmId }) => vmId![0]), ["a"], "it is said once, of the one that it is about");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
