import assert from "node:assert/strict";
import { Store } from "../store/store.ts";
import { MCP_MIGRATIONS, McpSettings } from "./settings.ts";

Deno.test("settings are off until they are set, survive a restart, and a stop holds without a database", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const open = () => new Store(folder, undefined, [{ name: "mcp", migrations: MCP_MIGRATIONS }]);
  try {
    let store = open();
    const settings = new McpSettings(store);
    assert.deepEqual(settings.show(), {
      enabled: false,
      acting: false,
      role: "operator",
      callsPerMinute: 60,
    });
    settings.set({ enabled: true, role: "viewer" });
    // A disk that is full: it is off all the same
    const full = {
      attach: store.attach.bind(store),
      write: () => false,
      database: undefined,
      trouble: "disk full",
    };
    const unwritten = new McpSettings(full);
    assert.equal(unwritten.current.enabled, true);
    unwritten.switchOff();
    assert.throws(() => unwritten.set({ enabled: false }), { code: "StoreUnavailable" });
    assert.equal(unwritten.current.enabled, false);
    store.close();
    store = open();
    const again = new McpSettings(store);
    assert.deepEqual(again.show(), { enabled: true, acting: false, role: "viewer", callsPerMinute: 60 });
    again.switchOff();
    assert.equal(again.show().enabled, false);
    again.set({ role: "operator" });
    assert.equal(again.show().enabled, false);
    again.set({ enabled: true });
    assert.equal(again.show().enabled, true);
    store.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
