import { bulkReport } from "../../../lib/client/bulk_report.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { number, plural, t } from "../../../lib/i18n/mod.ts";
import { CopyButton } from "../../kit/CopyButton.tsx";
import { Dialog } from "../../kit/Dialog.tsx";
import { FailureText } from "../../kit/FailureText.tsx";

/** Which VMs an action failed on, and why. */
export function BulkReportDialog() {
  const report = bulkReport.value;
  const close = () => bulkReport.value = null;
  const details = report?.failures.map(({ vm, failure }) => `${vm.name} (${vm.id})\n${failure.details}`).join(
    "\n\n",
  );
  return (
    <Dialog
      open={report !== null}
      title={report ? plural("bulk.failed", report.failures.length, { action: report.title }) : ""}
      onClose={close}
      class="wide"
    >
      {report && (
        <>
          <div class="dialog-body">
            <p>
              {plural("bulk.succeeded", report.succeeded, {
                all: number(report.succeeded + report.failures.length),
              })}
            </p>
            <ul class="failure-list">
              {report.failures.map(({ vm, failure }) => (
                <li key={vm.id}>
                  <a href={`/vms/${encodeURIComponent(vm.id)}`}>
                    <bdi>{oneLine(vm.name, 60)}</bdi>
                  </a>
                  <FailureText failure={failure} />
                </li>
              ))}
            </ul>
          </div>
          <div class="dialog-foot">
            <CopyButton text={details ?? ""} what={t("copy.details")} labelled />
            <button type="button" class="button primary" onClick={close}>{t("dialog.close")}</button>
          </div>
        </>
      )}
    </Dialog>
  );
}
