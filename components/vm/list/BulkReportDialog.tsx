import type { ComponentChildren } from "preact";
import { type BulkReport, bulkReport } from "../../../lib/client/bulk_report.ts";
import type { VM } from "../../../lib/contract/mod.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { number, plural, t } from "../../../lib/i18n/mod.ts";
import { CopyButton } from "../../kit/CopyButton.tsx";
import { Dialog } from "../../kit/Dialog.tsx";
import { FailureText } from "../../kit/FailureText.tsx";
import { Flash } from "../../kit/Flash.tsx";

/** List item that links to a VM. */
function OfVm({ vm, children }: { vm: Pick<VM, "id" | "name">; children: ComponentChildren }) {
  return (
    <li>
      <a href={`/vms/${encodeURIComponent(vm.id)}`}>
        <bdi>{oneLine(vm.name, 60)}</bdi>
      </a>
      {children}
    </li>
  );
}

/** Result of an action on several VMs. */
function Results({ report: { title, succeeded, failures, warned } }: { report: BulkReport }) {
  return (
    <div class="dialog-body">
      <p>
        {failures.length === 0
          ? plural("bulk.done", succeeded, { action: title })
          : plural("bulk.succeeded", succeeded, { all: number(succeeded + failures.length) })}
      </p>
      {failures.length > 0 && (
        <ul class="failure-list">
          {failures.map(({ vm, failure }) => (
            <OfVm key={vm.id} vm={vm}>
              <FailureText failure={failure} />
            </OfVm>
          ))}
        </ul>
      )}
      {warned.length > 0 && (
        <ul class="failure-list">
          {warned.map(({ vm, warnings }) => (
            <OfVm key={vm.id} vm={vm}>
              {warnings.map((warning) => <Flash key={warning} tone="warn">{warning}</Flash>)}
            </OfVm>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Its heading: what failed on how many, else the action. */
const titleOf = ({ title, failures }: BulkReport): string =>
  failures.length === 0 ? title : plural("bulk.failed", failures.length, { action: title });

/** Everything that is said, to be copied. */
const detailsOf = ({ failures, warned }: BulkReport): string =>
  [
    ...failures.map(({ vm, failure }) => `${vm.name} (${vm.id})\n${failure.details}`),
    ...warned.map(({ vm, warnings }) => `${vm.name} (${vm.id})\n${warnings.join("\n")}`),
  ].join("\n\n");

/** Failures of an action by VM with their reasons, and warnings on the other VMs. */
export function BulkReportDialog() {
  const report = bulkReport.value;
  const close = () => bulkReport.value = null;
  return (
    <Dialog
      open={report !== null}
      title={report ? titleOf(report) : ""}
      onClose={close}
      class="wide"
    >
      {report && (
        <>
          <Results report={report} />
          <div class="dialog-foot">
            <CopyButton text={detailsOf(report)} what={t("copy.details")} labelled />
            <button type="button" class="button primary" onClick={close}>{t("dialog.close")}</button>
          </div>
        </>
      )}
    </Dialog>
  );
}
