import assert from "node:assert/strict";
import { waitingConnections } from "./socket_backlog.ts";

Deno.test("waitingConnections() counts those that were not accepted, closed ones too", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const path = `${folder}/socket`;
  try {
    using listener = Deno.listen({ transport: "unix", path });
    assert.equal(waitingConnections(path), 0);
    using _open = await Deno.connect({ transport: "unix", path });
    (await Deno.connect({ transport: "unix", path })).close();
    assert.equal(waitingConnections(path), 2);
    (await listener.accept()).close();
    assert.equal(waitingConnections(path), 1);
    assert.equal(waitingConnections(`${folder}/none`), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
