import { BulkReportDialog } from "../components/vm/list/BulkReportDialog.tsx";
import { ConfirmDialog } from "../components/vm/ConfirmDialog.tsx";
import { Toasts } from "../components/shell/Toasts.tsx";

/** What answers a click, on every page: messages, the question before a loss, the report on several VMs. */
export default function Feedback() {
  return (
    <>
      <ConfirmDialog />
      <BulkReportDialog />
      <Toasts />
    </>
  );
}
