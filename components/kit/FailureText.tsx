import type { Failure } from "../../lib/text/failure.ts";
import { t } from "../../lib/i18n/mod.ts";

/** Longest reason shown; QEMU's own errors can be pages. The rest is in the details. */
const LONGEST = 600;

/** Parts of a failure that are shown to the user. */
export type Reason = {
  readonly why: string;
  readonly advice?: Failure["advice"] | undefined;
  readonly logOf?: Failure["logOf"] | undefined;
};

/** Why something failed, and what to do. */
export function FailureText({ failure }: { failure: Reason }) {
  const { why, advice, logOf } = failure;
  return (
    <>
      <p class="error-text">{why.length > LONGEST ? `${why.slice(0, LONGEST)}…` : why}</p>
      {logOf !== undefined && (
        <p class="advice">
          <a href={`/vms/${encodeURIComponent(logOf)}/log`}>{t("vm.qemu_log")}</a>
        </p>
      )}
      {advice && <p class="advice">{t("failure.todo", { advice })}</p>}
    </>
  );
}
