import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { asked } from "../lib/client/danger.ts";
import { reportFailure } from "../lib/client/toasts.ts";
import { ACTIONS } from "../lib/format/actions.ts";
import { t } from "../lib/i18n/mod.ts";
import { DangerText, dangerTitle, DiskChoice } from "./DangerText.tsx";
import { Dialog } from "./Dialog.tsx";

/** What is asked before one machine is deleted, fetched when it is needed: no page carries it. */
function PlanOf({ vmId }: { vmId: string }) {
  const Plan = useSignal<ComponentType<{ vmId: string }> | null>(null);
  useEffect(() => {
    import("./DeletePlan.tsx").then(
      ({ DeletePlanQuestion }) => Plan.value = DeletePlanQuestion,
      (error) => reportFailure(undefined, error),
    );
  }, []);
  return Plan.value && <Plan.value vmId={vmId} />;
}

/** The disks ticked: one by one for one machine, all or none for several. */
function consentIn(form: FormData, single: boolean) {
  const deleteDisks = form.get("deleteDisks") === "yes";
  return single ? { deleteDisks, disks: form.getAll("disk").map(String) } : { deleteDisks };
}

/** The question before something is lost. */
export function DangerDialog() {
  const question = asked.value;
  const refuse = () => asked.peek()?.answer(null);
  const single = question?.action === "delete" && question.vms.length === 1 ? question.vms[0] : undefined;
  const consent = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    asked.peek()?.answer(consentIn(form, single !== undefined));
  };
  return (
    <Dialog
      open={question !== null}
      title={question ? dangerTitle(question.action, question.vms) : ""}
      onClose={refuse}
    >
      {question && (
        <form onSubmit={consent}>
          <div class="dialog-body">
            <DangerText action={question.action} vms={question.vms} />
            {single
              ? <PlanOf key={single.id} vmId={single.id} />
              : question.action === "delete" && <DiskChoice vms={question.vms} />}
          </div>
          <div class="dialog-foot">
            {/* The harmless answer has the focus. */}
            <button type="button" class="button" autoFocus onClick={refuse}>{t("danger.cancel")}</button>
            <button type="submit" class="button danger">{t(ACTIONS[question.action].label)}</button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
