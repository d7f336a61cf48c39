/** What becomes of a frozen guest's operation that was cut off. */
import assert from "node:assert/strict";
import { NOTHING } from "../operations/outcome.ts";
import { Operation } from "../operations/operation.ts";
import { settle } from "../operations/settle.ts";
import type { SettlementServices } from "../operations/settlement.ts";
import type { OperationRecord } from "../operations/step.ts";
import { guestSteps } from "./steps.ts";

Deno.test("what was made beside a freeze that was cut off is taken back with it", async () => {
  const undone: string[] = [];
  const record = {
    command: "create_snapshot",
    subject: "web1",
    steps: [{ kind: "volume-made" }, { kind: "guest-frozen", uuid: "web1", name: "web1" }],
  } as unknown as OperationRecord;
  const services = {
    vms: {
      link: {
        call: (name: string) => {
          undone.push(name);
          return Promise.resolve(name === "domainRead" ? { state: 1 } : null);
        },
      },
    },
    rules: {
      ...guestSteps,
      "volume-made": {
        undo: () => {
          undone.push("volume-made");
          return Promise.resolve(NOTHING);
        },
      },
    },
  } as unknown as SettlementServices;
  const { end } = await settle(new Operation(record, () => {}), services);
  assert.deepEqual([undone, end], [["domainRead", "domainThaw", "volume-made"], "undone"]);
});
