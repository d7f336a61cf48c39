import assert from "node:assert/strict";
import { localPrincipal } from "../testing.ts";
import { Store } from "../store/store.ts";
import { PROFILE_MIGRATIONS, ProfileRecords } from "./records.ts";
import { toolHandlers, type ToolServices } from "./tool_handlers.ts";

Deno.test("Definitions of tools: no answer has a secret, or the path of an address, which often is one", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-tools-" });
  const store = new Store(folder, () => {}, [{ name: "profiles", migrations: PROFILE_MIGRATIONS }]);
  store.open();
  try {
    const services = {
      records: new ProfileRecords(store),
      programs: "off",
      user: () => undefined,
      project: () => undefined,
    } as unknown as ToolServices;
    const handlers = toolHandlers(services), context = { principal: localPrincipal("socket") };
    const url = "https://hooks.example.org:8443/services/T00/hunter-2?token=hunter-2", secret = "hunter-2";
    const hook = { tool_type: "hook", name: "h", event: "vm-created" } as const;
    const answers = [
      await handlers.set_tool({ ...hook, url, secret }, context),
      await handlers.set_tool({ tool_type: "mcp", name: "m", url, secret }, context),
      await handlers.set_tool({ ...hook, description: "kept" }, context),
      await handlers.list_tools({}, context),
    ];
    assert.ok(!JSON.stringify(answers).includes("hunter"), JSON.stringify(answers));
    assert.match(
      JSON.stringify(answers[2]),
      /"address":"https:\/\/hooks.example.org:8443","has_secret":true/,
    );
  } finally {
    store.close();
    await Deno.remove(folder, { recursive: true });
  }
});
