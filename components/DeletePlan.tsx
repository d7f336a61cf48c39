import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../lib/client/api.ts";
import type { DeletePlan, DoomedDisk } from "../lib/contract/mod.ts";
import { type Failure, failureOf } from "../lib/format/failure.ts";
import { formatBytes } from "../lib/format/quantity.ts";
import { oneLine } from "../lib/format/text.ts";
import { manage } from "../lib/i18n/en/manage.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { FailureText } from "./FailureText.tsx";

const { t, plural } = textsOf(manage);

function DiskLine({ disk }: { disk: DoomedDisk }) {
  const { target, path, pool, allocationBytes, deletable, reason } = disk;
  const facts = [
    target,
    pool !== undefined && t("manage.plan_pool", { pool: oneLine(pool, 40) }),
    allocationBytes !== undefined && t("manage.plan_size", { size: formatBytes(allocationBytes) }),
    !deletable && t("manage.plan_kept_why", { reason: reason ?? "" }),
  ].filter((fact) => fact !== false);
  return (
    <span class="plan-disk">
      <bdi class="mono" title={oneLine(path)}>{oneLine(path)}</bdi>
      <span class="muted">{facts.join(" · ")}</span>
    </span>
  );
}

/** What goes with the machine besides its definition, in words. */
function alsoLost({ snapshots, checkpoints, managedSave, nvram }: DeletePlan): string[] {
  return [
    snapshots > 0 && plural("manage.plan_snapshots", snapshots),
    checkpoints > 0 && plural("manage.plan_checkpoints", checkpoints),
    managedSave && t("manage.plan_saved"),
    nvram !== undefined && t("manage.plan_nvram", { path: oneLine(nvram) }),
  ].filter((text) => text !== false);
}

/** Exactly what goes with a machine: its disks each with a box of its own, never ticked from the start. */
export function DeletePlanView({ plan }: { plan: DeletePlan }) {
  const doomed = plan.disks.filter(({ deletable }) => deletable);
  const kept = plan.disks.filter(({ deletable }) => !deletable);
  const lost = alsoLost(plan);
  return (
    <>
      {lost.length > 0 && (
        <div class="plan-list">
          <p>{t("manage.plan_also")}</p>
          <ul>{lost.map((text) => <li key={text}>{text}</li>)}</ul>
        </div>
      )}
      {doomed.length > 0 && (
        <fieldset class="disk-choice">
          <legend>{t("manage.plan_disks")}</legend>
          {doomed.map((disk) => (
            <label key={disk.path} class="check">
              <input type="checkbox" name="disk" value={disk.path} />
              <DiskLine disk={disk} />
            </label>
          ))}
        </fieldset>
      )}
      {kept.length > 0 && (
        <div class="plan-list">
          <p>{t("manage.plan_kept")}</p>
          <ul>
            {kept.map((disk) => (
              <li key={disk.path}>
                <DiskLine disk={disk} />
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

/** The same in the browser, which asks for it when the question is put. */
export function DeletePlanQuestion({ vmId }: { vmId: string }) {
  const plan = useSignal<DeletePlan | Failure | null>(null);
  useEffect(() => {
    plan.value = null;
    let isGone = false;
    const put = (found: DeletePlan | Failure) => {
      if (!isGone) plan.value = found;
    };
    api.getDeletePlan({ vmId }).then(put, (error) => put(failureOf(error)));
    return () => {
      isGone = true;
    };
  }, [vmId]);
  const found = plan.value;
  return (
    <div role="status">
      {found === null ? <p class="muted">{t("manage.plan_loading")}</p> : "why" in found
        ? (
          <>
            <p>{t("manage.plan_failed")}</p>
            <FailureText failure={found} />
          </>
        )
        : <DeletePlanView plan={found} />}
    </div>
  );
}
