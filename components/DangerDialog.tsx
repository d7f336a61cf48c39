import { asked } from "../lib/client/danger.ts";
import { ACTIONS } from "../lib/format/actions.ts";
import { t } from "../lib/i18n/mod.ts";
import { DangerText, dangerTitle, DiskChoice } from "./DangerText.tsx";
import { Dialog } from "./Dialog.tsx";

/** The question before something is lost. */
export function DangerDialog() {
  const question = asked.value;
  const refuse = () => asked.peek()?.answer(null);
  const consent = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    asked.peek()?.answer({ deleteDisks: form.get("deleteDisks") === "yes" });
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
            {question.action === "delete" && <DiskChoice vms={question.vms} />}
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
