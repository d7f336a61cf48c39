import { live } from "../../lib/client/live.ts";
import { runAction } from "../../lib/client/run_action.ts";
import type { VM } from "../../lib/contract/mod.ts";
import { ACTIONS, isAllowed } from "../../lib/vm/actions.ts";
import { formatLately, hangCause } from "../../lib/hangs/words.ts";
import { hangs as texts } from "../../lib/i18n/en/hangs.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { Flash } from "../kit/Flash.tsx";
import { HangSpan } from "../hangs/HangSpan.tsx";
import { actionTarget } from "./action_target.ts";

const own = textsOf(texts);

/**
 * Says that a VM does not respond: since when, why, what still works, and how it can be ended. A plain form without
 * script.
 *
 * @param now when the page was rendered
 */
export function HangNote({ vm, now, enabled }: { vm: VM; now: number; enabled: boolean }) {
  const { notResponding } = vm;
  if (notResponding === undefined) return null;
  const { since, call } = notResponding;
  const figuresAt = (live.vms.stats(vm.id).value ?? vm.stats)?.timestamp;
  const canForceOff = isAllowed("force_stop", vm);
  return (
    <div class="hang-note" role="alert">
      <Flash
        tone="bad"
        quiet
        title={own.t("hangs.since", { time: formatLately(since, now) })}
        actions={canForceOff && (
          <form
            method="post"
            onSubmit={(event) => {
              event.preventDefault();
              void runAction("force_stop", vm);
            }}
          >
            <button
              type="submit"
              class="button danger"
              {...actionTarget("force_stop", vm)}
              disabled={!enabled}
            >
              {t(ACTIONS.force_stop.label)}
            </button>
          </form>
        )}
      >
        <HangSpan since={since} now={now} />
        <p>{hangCause(call)}. {own.t("hangs.vm_works")} {own.t("hangs.vm_remedy")}</p>
        {figuresAt !== undefined && (
          <p class="text-muted">{own.t("hangs.figures", { time: formatLately(figuresAt, now) })}</p>
        )}
      </Flash>
    </div>
  );
}
