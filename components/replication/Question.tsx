import type { ComponentChildren } from "preact";
import type { Replica, Replication, SwitchOverPlan } from "../../lib/contract/mod.ts";
import { replication as texts } from "../../lib/i18n/en/replication.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import type { RefusedForm } from "../../lib/text/refused_form.ts";
import { oneLine } from "../../lib/text/text.ts";
import { CheckField } from "../kit/Field.tsx";
import { Flash } from "../kit/Flash.tsx";
import { REPLICATION_PAGE } from "./ReplicationTables.tsx";

const { t } = textsOf(texts);

/** What is asked before it is done. */
export type Asked =
  | { readonly what: "switch" | "end"; readonly replication: Replication }
  | { readonly what: "promote"; readonly replica: Replica; readonly plan: SwitchOverPlan }
  | { readonly what: "delete"; readonly replica: Replica };

/** A question with its answer as a form. */
function Form({ title, action, button, isPossible = true, refused, children }: {
  title: string;
  action: string;
  button: string;
  isPossible?: boolean;
  refused: RefusedForm | null;
  children: ComponentChildren;
}) {
  return (
    <form class="panel narrow" method="post" action={action}>
      <div class="dialog-body">
        <h1>{title}</h1>
        <Flash tone="bad" failure={refused?.failure ?? null} />
        {children}
      </div>
      <footer class="dialog-foot">
        <a class="button" href={REPLICATION_PAGE}>{t("replication.cancel")}</a>
        {isPossible && (
          <button type="submit" class="button danger" name="confirmed" value="yes">{button}</button>
        )}
      </footer>
    </form>
  );
}

/** Asks. */
export function Question({ asked, refused }: { asked: Asked; refused: RefusedForm | null }) {
  const isOut = "replication" in asked, { id, vmName } = isOut ? asked.replication : asked.replica;
  const name = oneLine(vmName, 60), host = oneLine(isOut ? asked.replication.toHost : asked.replica.from, 60);
  const here = `${REPLICATION_PAGE}?${asked.what}=${id}`;
  switch (asked.what) {
    case "switch":
      return (
        <Form
          title={t("replication.switch_title", { name, host })}
          action={formHref("switch_over", { replicationId: id }, "/{task}", here)}
          button={t("replication.switch_do")}
          refused={refused}
        >
          <p>{t("replication.switch_what", { host })}</p>
        </Form>
      );
    case "end": {
      const isLost = asked.replication.state === "lost" || asked.replication.state === "undecided";
      const fields = { replicationId: id, ...(isLost && { reclaim: true }) };
      return (
        <Form
          title={t("replication.end_title", { name, host })}
          action={formHref("delete_replication", fields, REPLICATION_PAGE, here)}
          button={t("replication.end_do")}
          refused={refused}
        >
          {isLost
            ? <Flash tone="warn">{t("replication.reclaim_what", { host })}</Flash>
            : <p>{t("replication.end_what", { host })}</p>}
          <CheckField
            name="keepReplica"
            label={t("replication.end_keep")}
            hint={t("replication.end_keep_hint", { host })}
            defaultChecked={isLost}
          />
        </Form>
      );
    }
    case "promote": {
      const { plan: { findings, possible } } = asked;
      return (
        <Form
          title={t("replication.promote_title", { name })}
          action={formHref("promote_replica", { replicaId: id }, "/{task}", here)}
          button={t("replication.promote_do")}
          isPossible={possible}
          refused={refused}
        >
          {findings.map(({ level, text }) => (
            <Flash key={text} tone={level === "problem" ? "bad" : "warn"}>{text}</Flash>
          ))}
          <p>{t("replication.promote_what", { host })}</p>
        </Form>
      );
    }
    case "delete": {
      const isVm = asked.replica.state === "promoted";
      return (
        <Form
          title={t("replication.delete_title", { name })}
          action={formHref("delete_replica", { replicaId: id }, REPLICATION_PAGE, here)}
          button={t("replication.delete_do")}
          refused={refused}
        >
          <p>{t(isVm ? "replication.delete_vm_what" : "replication.delete_what", { host })}</p>
        </Form>
      );
    }
  }
}
