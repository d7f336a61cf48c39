import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { MOST_UNTYPED } from "../../lib/client/confirm.ts";
import { type ActionQuestion, type Consent, openQuestion } from "../../lib/client/open_question.ts";
import { reportFailure } from "../../lib/client/toasts.ts";
import { ACTIONS } from "../../lib/vm/actions.ts";
import { t } from "../../lib/i18n/mod.ts";
import { ConfirmText, confirmTitle } from "./ConfirmText.tsx";
import type { DeletePlansProps } from "./DeletePlan.tsx";
import { Dialog } from "../kit/Dialog.tsx";
import { TextField } from "../kit/Field.tsx";
import { SteadyButton } from "../kit/SteadyButton.tsx";

/** Details for the confirmation before VMs are deleted, fetched when they are needed: no page carries them. */
function PlansOf({ vms }: DeletePlansProps) {
  const Plans = useSignal<ComponentType<DeletePlansProps> | null>(null);
  useEffect(() => {
    import("./DeletePlan.tsx").then(
      ({ DeletePlans }) => Plans.value = DeletePlans,
      (error) => reportFailure(undefined, error),
    );
  }, []);
  return Plans.value && <Plans.value vms={vms} />;
}

/** The disks ticked, one by one, and the VMs that are not to go into the bin. */
function consentIn(form: FormData, { vms }: ActionQuestion): Consent {
  return {
    disks: new Map(vms.map(({ id }) => [id, form.getAll(`disk ${id}`).map(String)])),
    permanently: new Set(vms.map(({ id }) => id).filter((id) => form.has(`permanently ${id}`))),
  };
}

/** One question: what would be lost, what of it is wanted, and for many VMs their number, typed. */
function QuestionForm({ question }: { question: ActionQuestion }) {
  const { action, vms } = question;
  const typed = useSignal("");
  const count = vms.length;
  const isTyped = count <= MOST_UNTYPED || typed.value.replace(/[\s,.]/g, "") === String(count);
  const isWrong = !isTyped && typed.value.trim().length >= String(count).length;
  const refuse = () => openQuestion.peek()?.answer(null);
  const consent = (event: SubmitEvent) => {
    event.preventDefault();
    if (isTyped) {
      openQuestion.peek()?.answer(consentIn(new FormData(event.currentTarget as HTMLFormElement), question));
    }
  };
  return (
    <form onSubmit={consent}>
      <div class="dialog-body">
        <ConfirmText action={action} vms={vms} />
        {action === "delete" && <PlansOf vms={vms} />}
        {count > MOST_UNTYPED && (
          <TextField
            name="count"
            label={t("danger.type_count", { n: String(count) })}
            inputMode="numeric"
            autoFocus
            value={typed.value}
            error={isWrong ? t("danger.count_wrong", { n: String(count) }) : undefined}
            onInput={({ currentTarget: { value } }) => typed.value = value}
          />
        )}
      </div>
      <div class="dialog-foot">
        {/* The harmless answer has the focus. */}
        <button type="button" class="button" autoFocus={count <= MOST_UNTYPED} onClick={refuse}>
          {t("danger.cancel")}
        </button>
        <SteadyButton type="submit" class="button danger" what={action} arrives disabled={!isTyped}>
          {t(ACTIONS[action].label)}
        </SteadyButton>
      </div>
    </form>
  );
}

/** The question before something is lost. */
export function ConfirmDialog() {
  const question = openQuestion.value;
  return (
    <Dialog
      open={question !== null}
      title={question ? confirmTitle(question.action, question.vms) : ""}
      onClose={() => openQuestion.peek()?.answer(null)}
    >
      {question && <QuestionForm key={question.id} question={question} />}
    </Dialog>
  );
}
