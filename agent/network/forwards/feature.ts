/** Port forwards: the kernel's rules follow what is written down. */
import type { forwardCommands } from "../../../lib/contract/mod.ts";
import { feature } from "../../feature.ts";
import { ForwardRecords } from "./records.ts";
import { Forwards } from "./forwards.ts";
import { log } from "../../log.ts";
import { forgetForwards, forwardHandlers, releaseVmForwards } from "./handlers.ts";
import { ForwardKernel } from "./kernel.ts";
import { forwardNames } from "./names.ts";
import { forwardSteps } from "./steps.ts";

/** Milliseconds between looks whether the kernel still has the rules. */
const SYNC_MS = 3000;

export const forwardFeature = feature<never, keyof typeof forwardCommands, keyof typeof forwardSteps>({
  name: "port forwards",
  steps: forwardSteps,
  open: ({ store, settings }) => {
    const records = new ForwardRecords(store), kernel = new ForwardKernel(forwardNames(settings.dataDir));
    return {
      host: (host) => {
        const forwards = new Forwards(host, records, kernel);
        return {
          handlers: forwardHandlers(forwards),
          periodic: [{ name: "port forwards", every: () => SYNC_MS, run: () => forwards.sync() }],
          networkDeleted: (name) => forgetForwards(forwards, name),
          replaced: (vmId) => {
            const released = releaseVmForwards(forwards, vmId);
            // The periodic look does it again where this fails
            if (released.length > 0) {
              void forwards.sync().catch((error) => log.warn("ports could not be closed", { error }));
            }
            return released;
          },
          stop: () => forwards[Symbol.dispose](),
        };
      },
    };
  },
});
