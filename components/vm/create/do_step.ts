import { reportFailure } from "../../../lib/client/toasts.ts";
import { t } from "./props.ts";

/** Takes a step that puts the host right, without leaving the form: what comes of it shows by itself. */
export function doStep(step: () => Promise<unknown>): void {
  step().catch((error: unknown) => reportFailure({ sentence: t("create.step_failed") }, error));
}
