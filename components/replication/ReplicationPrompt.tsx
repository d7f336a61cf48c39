import type { ComponentChildren } from "preact";
import type { Network, Replica, Replication, SwitchOverPlan } from "../../lib/contract/mod.ts";
import { replication as texts } from "../../lib/i18n/en/replication.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import type { RefusedForm } from "../../lib/text/refused_form.ts";
import { oneLine } from "../../lib/text/text.ts";
import { CheckField } from "../kit/Field.tsx";
import { Flash } from "../kit/Flash.tsx";
import { NetworkRows } from "./NetworkRows.tsx";
import { REPLICATION_PAGE } from "./ReplicationTables.tsx";

const { t } = textsOf(texts);

/** Step that asks for confirmation first. */
export type ReplicationStep =
  | { readonly what: "end"; readonly replication: Replication }
  | {
    readonly what: "switch" | "networks";
    readonly replication: Replication;
    /** Networks of the VM's cards. */
    readonly own: readonly string[];
    /** Those of the other host; null where it does not answer. */
    readonly there: readonly Network[] | null;
  }
  | {
    readonly what: "promote";
    readonly replica: Replica;
    readonly plan: SwitchOverPlan;
    /** Networks of this host. */
    readonly here: readonly Network[] | null;
  }
  | { readonly what: "delete"; readonly replica: Replica };

/** Networks that the VM's cards would come into there, and which are missing or off. */
function missingThere(
  { replication, own, there }: ReplicationStep & { readonly what: "switch" | "networks" },
) {
  if (there === null) return [];
  return own.flatMap((from) => {
    const network = replication.networks?.find((each) => each.from === from)?.to ?? from;
    const found = there.find(({ name }) => name === network);
    if (found?.active) return [];
    return [
      {
        network,
        text: found === undefined ? "replication.switch_missing" : "replication.switch_off",
      } as const,
    ];
  });
}

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
export function ReplicationPrompt(
  { asked, refused }: { asked: ReplicationStep; refused: RefusedForm | null },
) {
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
          {asked.there === null && <p class="text-muted">{t("replication.switch_unknown", { host })}</p>}
          {missingThere(asked).map(({ network, text }) => (
            <Flash key={network} tone="bad">{t(text, { network: oneLine(network, 60), host })}</Flash>
          ))}
        </Form>
      );
    case "networks":
      return (
        <Form
          title={t("replication.networks_title", { name, host })}
          action={formHref("update_replication", { replicationId: id }, REPLICATION_PAGE, here)}
          button={t("replication.networks_do")}
          isPossible={asked.there !== null && asked.own.length > 0}
          refused={refused}
        >
          <p>{t(asked.own.length > 0 ? "replication.networks_what" : "replication.networks_none")}</p>
          <NetworkRows
            own={asked.own}
            there={asked.there}
            host={host}
            chosen={asked.replication.networks ?? []}
            typed={refused?.typed ?? {}}
          />
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
      const { plan: { findings, possible, networks = [] }, here: there } = asked;
      return (
        <Form
          title={t("replication.promote_title", { name })}
          action={formHref("promote_replica", { replicaId: id }, "/{task}", here)}
          button={t("replication.promote_do")}
          isPossible={possible ||
            findings.every(({ level, about }) => level === "warning" || about === "network")}
          refused={refused}
        >
          {findings.map(({ level, text }) => (
            <Flash key={text} tone={level === "problem" ? "bad" : "warn"}>{text}</Flash>
          ))}
          <NetworkRows
            own={networks.map(({ name: network }) => network)}
            there={there}
            host={t("replication.this_host")}
            typed={refused?.typed ?? {}}
          />
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
