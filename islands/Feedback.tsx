import { BulkReportDialog } from "../components/BulkReportDialog.tsx";
import { DangerDialog } from "../components/DangerDialog.tsx";
import { Toasts } from "../components/Toasts.tsx";

/** What answers a click, on every page: messages, the question before a loss, the report on several machines. */
export default function Feedback() {
  return (
    <>
      <DangerDialog />
      <BulkReportDialog />
      <Toasts />
    </>
  );
}
