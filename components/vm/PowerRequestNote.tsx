import { runAction } from "../../lib/client/run_action.ts";
import { keepWaiting, waitingOf } from "../../lib/client/power_requests.ts";
import { useHydrated } from "../../lib/client/use_hydrated.ts";
import type { VM } from "../../lib/contract/mod.ts";
import { ACTIONS } from "../../lib/vm/actions.ts";
import { oneLine } from "../../lib/text/text.ts";
import { t } from "../../lib/i18n/mod.ts";
import { actionTarget } from "./action_target.ts";
import { Flash } from "../kit/Flash.tsx";

/** Action that ends a VM whose guest does not follow the request. */
const LAST_RESORT = { stop: "force_stop", reboot: "reset" } as const;

/** Says that a guest has not done what it was asked for, and what can be done. A plain form without script. */
export function PowerRequestNote({ vm, now, enabled }: { vm: VM; now: number; enabled: boolean }) {
  const waiting = waitingOf(vm, now, useHydrated());
  if (!waiting?.isOverdue) return null;
  const resort = LAST_RESORT[waiting.action];
  return (
    <form
      class="power-note"
      role="alert"
      method="post"
      onSubmit={(event) => {
        event.preventDefault();
        void runAction(resort, vm);
      }}
    >
      <Flash
        tone="warn"
        actions={
          <>
            <button type="button" class="button needs-script" onClick={() => keepWaiting(vm, now)}>
              {t("note.keep_waiting")}
            </button>
            <button type="submit" class="button danger" {...actionTarget(resort, vm)} disabled={!enabled}>
              {t(ACTIONS[resort].label)}
            </button>
          </>
        }
      >
        {t(waiting.action === "stop" ? "note.stop_ignored" : "note.reboot_ignored", {
          name: oneLine(vm.name, 60),
        })}
      </Flash>
    </form>
  );
}
