import type { VM } from "../../lib/contract/mod.ts";
import { type ActionName, ACTIONS } from "../../lib/vm/actions.ts";
import { formHref } from "../../lib/text/form_href.ts";

/** Address that an action's button sends its form to without script: the confirmation first if there is a loss. */
export function actionTarget(name: ActionName, { id: vmId }: Pick<VM, "id">) {
  const here = `/vms/${encodeURIComponent(vmId)}`;
  return ACTIONS[name].danger
    ? { formMethod: "get", formAction: `${here}/confirm`, name: "action", value: name } as const
    : {
      formMethod: "post",
      formAction: formHref(ACTIONS[name].command, { vmId }, here),
      value: name,
    } as const;
}
