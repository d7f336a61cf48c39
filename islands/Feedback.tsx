import { Toasts } from "../components/shell/Toasts.tsx";
import { bulkReport } from "../lib/client/bulk_report.ts";
import { openQuestion } from "../lib/client/open_question.ts";
import { lazyPart, useLazy } from "../lib/client/use_lazy.ts";

const confirmDialog = lazyPart<Record<never, never>>(async () =>
  (await import("../components/vm/ConfirmDialog.tsx")).ConfirmDialog
);
const reportDialog = lazyPart<Record<never, never>>(async () =>
  (await import("../components/vm/list/BulkReportDialog.tsx")).BulkReportDialog
);

/** Answers to clicks on every page: messages, the question before a loss, the report on several VMs. */
export default function Feedback() {
  const Confirm = useLazy(confirmDialog, openQuestion.value !== null);
  const Report = useLazy(reportDialog, bulkReport.value !== null);
  return (
    <>
      {Confirm && <Confirm />}
      {Report && <Report />}
      <Toasts />
    </>
  );
}
