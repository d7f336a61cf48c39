import type { VM } from "../../lib/contract/mod.ts";
import { type ActionName, ACTIONS } from "../../lib/vm/actions.ts";
import { formHref } from "../../lib/text/form_href.ts";

/** Where an action's button sends its form without script: to the question first where something would be lost. */
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
