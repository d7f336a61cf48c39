import assert from "node:assert/strict";
import type { Network } from "../../lib/contract/mod.ts";
import { networksNotReady } from "../../lib/host/ready.ts";
import type { PageState } from "../../lib/page_state.ts";
import { networkLack } from "./ready.ts";

const network = (active: boolean) =>
  ({ name: "lan", active, autostart: false, persistent: true }) as unknown as Network;

/** A page's state whose host says this needs attention. */
function stateOf(attention: readonly string[], mayAsk = true) {
  const asked: string[] = [];
  const api = {
    getHostInfo: () => {
      asked.push("host");
      return Promise.resolve({ attention });
    },
    getNetworkOptions: () => Promise.resolve({ freeIpv4: "192.168.122.1/24", devices: [] }),
  };
  const state = { api, may: () => mayAsk } as unknown as Pick<PageState, "api" | "may">;
  return { state, asked };
}

Deno.test("networkLack(): a host with a bridge of its own lacks nothing, on every page", async () => {
  for (const networks of [[], [network(false)], [network(true)]]) {
    const { sentence } = networksNotReady(networks, { hasBridges: false })!;
    for (const attention of [[], [sentence]]) {
      const { state } = stateOf(attention);
      const listed = await networkLack(state, networks, "/networks");
      const shown = await networkLack(state, networks, "/networks", attention);
      assert.deepEqual(listed, shown);
      assert.equal(listed?.sentence, attention[0], `${networks.length}`);
    }
    const { state, asked } = stateOf([sentence], false);
    assert.equal(await networkLack(state, networks, "/networks"), null, "who may not see the host");
    assert.deepEqual(asked, []);
  }
});

Deno.test("networkLack() offers a network with a subnet that is free", async () => {
  const { sentence } = networksNotReady([], { hasBridges: false })!;
  const lack = await networkLack(stateOf([sentence]).state, [], "/networks");
  assert.match(lack?.steps[0]?.action ?? "", /create_network.*192\.168\.122\.1/);
});
