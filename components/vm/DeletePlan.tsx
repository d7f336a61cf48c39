import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../../lib/client/api.ts";
import type { DeletePlan, DoomedDisk, VM } from "../../lib/contract/mod.ts";
import { type Failure, failureOf } from "../../lib/text/failure.ts";
import { formatBytes } from "../../lib/text/quantity.ts";
import { oneLine } from "../../lib/text/text.ts";
import { manage } from "../../lib/i18n/en/manage.ts";
import { number, t as tAll, textsOf } from "../../lib/i18n/mod.ts";
import { CheckField } from "../kit/Field.tsx";
import { FailureText } from "../kit/FailureText.tsx";

const { t, plural } = textsOf(manage);

function DiskLine({ disk }: { disk: DoomedDisk }) {
  const { target, path, pool, allocationBytes, deletable, reason, forGood } = disk;
  const facts = [
    target,
    pool !== undefined && t("manage.plan_pool", { pool: oneLine(pool, 40) }),
    allocationBytes !== undefined && t("manage.plan_size", { size: formatBytes(allocationBytes) }),
    !deletable && t("manage.plan_kept_why", { reason: reason ?? "" }),
    forGood !== undefined && t("manage.plan_for_good", { reason: forGood }),
  ].filter((fact) => fact !== false);
  return (
    <span class="plan-disk">
      <bdi class="mono" title={oneLine(path)}>{oneLine(path)}</bdi>
      <span class="text-muted">{facts.join(" · ")}</span>
    </span>
  );
}

/** Further losses with a VM, as texts: the bin keeps snapshots and UEFI variables. */
function alsoLost({ snapshots, checkpoints, managedSave, nvram, binDays }: DeletePlan): string[] {
  return [
    binDays === 0 && snapshots > 0 && plural("manage.plan_snapshots", snapshots),
    checkpoints > 0 && plural("manage.plan_checkpoints", checkpoints),
    managedSave && t("manage.plan_saved"),
    binDays === 0 && nvram !== undefined && t("manage.plan_nvram", { path: oneLine(nvram) }),
  ].filter((text) => text !== false);
}

/**
 * Exactly what goes with a VM: its disks each with a box of its own, never ticked from the start.
 *
 * @param field name of the boxes
 * @param permanently name of the box for no bin
 */
export function DeletePlanView({ plan, field = "disks", permanently = "permanently" }: {
  plan: DeletePlan;
  field?: string;
  permanently?: string;
}) {
  const doomed = plan.disks.filter(({ deletable }) => deletable);
  const kept = plan.disks.filter(({ deletable }) => !deletable);
  const lost = alsoLost(plan), { binDays } = plan;
  return (
    <>
      <p>{binDays > 0 ? plural("manage.plan_bin", binDays) : t("manage.plan_no_bin")}</p>
      {lost.length > 0 && (
        <div class="plan-list">
          <p>{t("manage.plan_also")}</p>
          <ul>{lost.map((text) => <li key={text}>{text}</li>)}</ul>
        </div>
      )}
      {doomed.length > 0 && (
        <fieldset class="disk-choice">
          <legend>{t(binDays > 0 ? "manage.plan_disks_bin" : "manage.plan_disks")}</legend>
          {doomed.map((disk) => (
            <label key={disk.path} class="check">
              <input type="checkbox" name={field} value={disk.path} />
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
      {binDays > 0 && (
        <CheckField
          label={t("manage.permanently")}
          hint={t("manage.permanently_hint")}
          name={permanently}
          value="true"
        />
      )}
    </>
  );
}

/** Disks are offered for so many VMs: a longer list would not be read. */
const MOST_PLANS = 50;

/** The plan of one VM, fetched when the question is put. */
function PlanOfVm({ vm }: { vm: VM }) {
  const plan = useSignal<DeletePlan | Failure | null>(null);
  useEffect(() => {
    let isGone = false;
    const put = (found: DeletePlan | Failure) => {
      if (!isGone) plan.value = found;
    };
    api.getDeletePlan({ vmId: vm.id }).then(put, (error) => put(failureOf(error)));
    return () => {
      isGone = true;
    };
  }, [vm.id]);
  const found = plan.value;
  if (found === null) return <p class="text-muted">{t("manage.plan_loading")}</p>;
  if ("why" in found) {
    return (
      <>
        <p>{t("manage.plan_failed")}</p>
        <FailureText failure={found} />
      </>
    );
  }
  return <DeletePlanView plan={found} field={`disk ${vm.id}`} permanently={`permanently ${vm.id}`} />;
}

/** Props of {@link DeletePlans}. */
export interface DeletePlansProps {
  vms: readonly VM[];
}

/** Parts that are deleted with each of the VMs; every disk has a checkbox. */
export function DeletePlans({ vms }: DeletePlansProps) {
  if (vms.length > MOST_PLANS) return <p>{tAll("danger.disks_kept", { n: number(MOST_PLANS) })}</p>;
  return (
    <div role="status">
      {vms.map((vm) => (
        <section key={vm.id} class="plan" aria-label={oneLine(vm.name, 60)}>
          {vms.length > 1 && (
            <h3>
              <bdi>{oneLine(vm.name, 60)}</bdi>
            </h3>
          )}
          <PlanOfVm vm={vm} />
        </section>
      ))}
    </div>
  );
}
