import assert from "node:assert/strict";
import { SYSTEM_CLOCK } from "../clock.ts";
import type { ActivityEntry } from "../store/activity.ts";
import { Hooks } from "./hooks.ts";
import type { StoredTool } from "./records.ts";

/** Runs a hook's program once. @returns what the activity says of it */
async function ran(folder: string, program: string, allowed_directories: string[]): Promise<ActivityEntry> {
  const told = Promise.withResolvers<ActivityEntry>();
  const tool: StoredTool = {
    ...{
      id: "hook\nh",
      name: "h",
      tool_type: "hook",
      description: "",
      enabled: true,
      parameters: [],
      steps: [],
    },
    ...{ event: "vm-created", program, arguments: [], privateAddresses: false },
  };
  const permissions = { allowed_directories, allowed_tools: [], disallowed_tools: [] };
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
  hooks.follow([["vm-created", { vm: { id: "v", name: "v", state: "stopped" } } as never]]);
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
