import type { Failure } from "../lib/format/failure.ts";
import { t } from "../lib/i18n/mod.ts";

/** Longest reason shown; QEMU's own errors can be pages. The rest is in the details. */
const LONGEST = 600;

/** Why something failed, and what to do. */
export function FailureText({ failure }: { failure: Failure }) {
  const { why, advice } = failure;
  return (
    <>
      <p class="why">{why.length > LONGEST ? `${why.slice(0, LONGEST)}…` : why}</p>
      {advice && <p class="advice">{t("failure.todo", { advice })}</p>}
    </>
  );
}
