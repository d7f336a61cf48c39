import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/errors.ts";
import type { CallContext } from "../dispatch.ts";
import { localPrincipal } from "../testing.ts";
import { Store } from "../store/store.ts";
import type { Delivery } from "./delivery.ts";
import { ALERT_MIGRATIONS, AlertRecords } from "./records.ts";
import { alertTargetHandlers } from "./target_handlers.ts";

Deno.test("a target to which nothing would be sent is refused when it is set up, not when an alert fires", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const store = new Store(folder, undefined, [{ name: "alerts", migrations: ALERT_MIGRATIONS }]);
  try {
    const records = new AlertRecords(store);
    records.attach(() => {});
    records.require();
    const { create_alert_target: create, update_alert_target: update } = alertTargetHandlers({
      records,
      stopping: new AbortController().signal,
      delivery: { status: () => ({}) } as unknown as Delivery,
    });
    const context: CallContext = { principal: localPrincipal("page") };
    const refused = (call: () => unknown, why: RegExp) =>
      assert.rejects(
        async () => await call(),
        (error) =>
          error instanceof ContractError && error.code === "AlertTargetRefused" && why.test(error.message),
      );
    const hook = { name: "hook", channel: "webhook" } as const,
      loopback = { ...hook, url: "http://127.0.0.1:9/x" };
    await refused(
      () => create(loopback, context),
      /127\.0\.0\.1 is a loopback address\. Allow private addresses/,
    );
    const linkLocal = { ...hook, url: "http://169.254.169.254/x", privateAddresses: true };
    await refused(() => create(linkLocal, context), /169\.254\.169\.254/);
    const mail = {
      name: "mail",
      channel: "email",
      mailFrom: "a@b.example",
      mailTo: ["c@b.example"],
    } as const;
    await refused(
      () => create({ ...mail, mailTo: ["c@b.example"], smtpHost: "127.0.0.1" }, context),
      /loopback/,
    );
    assert.equal(records.require().targets.size, 0);
    const { id: targetId } = await create({ ...loopback, privateAddresses: true }, context);
    await refused(() => update({ targetId, privateAddresses: false }, context), /loopback/);
    assert.equal((await update({ targetId, name: "renamed" }, context)).name, "renamed");
    // A name that is not known now may be later
    await create({ ...hook, url: "http://no-such-host.invalid/x" }, context);
    assert.equal(records.require().targets.size, 2);
  } finally {
    store.close();
    await Deno.remove(folder, { recursive: true });
  }
});
