import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/errors.ts";
import { REQUEST_RATE } from "../limits.ts";
import { Store } from "../store/store.ts";
import { TestClock } from "../testing.ts";
import { Access } from "./mod.ts";

/** An access with tokens of one user, and how many of so many requests are taken. */
async function world() {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const clock = new TestClock(1_700_000_000_000);
  const store = new Store(folder), access = new Access(store, false, clock);
  const { id } = await access.accounts.create({ name: "ann", grants: [] });
  const token = (name: string) => access.credentials.makeToken(access.accounts.user(id), name, [], 1).token;
  const taken = (count: number, headers: Record<string, string>, uid?: number, address = "127.0.0.1") => {
    let taken = 0;
    for (let at = 0; at < count; at++) {
      try {
        access.identify(new Request("http://localhost/api/v1/vms", { headers }), {
          door: "api",
          address,
          localUser: () => uid,
        });
        taken++;
      } catch (error) {
        assert.equal((error as ContractError).code, "TooManyRequests");
        assert.match((error as Error).message, /limit 100 a second/);
      }
    }
    return taken;
  };
  const dispose = async () => {
    store.close();
    await Deno.remove(folder, { recursive: true });
  };
  return { clock, token, taken, [Symbol.asyncDispose]: dispose };
}

Deno.test("Access.identify() holds each token and each local user to the limit, on loopback too", async () => {
  await using here = await world();
  const { burst, perSecond } = REQUEST_RATE;
  const [one, two] = ["ci", "watch"].map((name) => ({ authorization: `Bearer ${here.token(name)}` }));
  assert.equal(here.taken(7200, one!), burst);
  assert.equal(here.taken(10, two!), 10, "another token is not held up");
  assert.equal(here.taken(burst + 5, {}, 1000), burst, "a user of this host");
  assert.equal(here.taken(10, {}, 1001), 10, "another user");
  assert.equal(
    here.taken(burst + 5, {}, undefined, "192.0.2.7"),
    burst + 5,
    "its listener counts an address",
  );
  await here.clock.advance(1000);
  assert.equal(here.taken(burst, one!), perSecond);
});
