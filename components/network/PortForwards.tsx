import { sendsForm } from "../../lib/client/send_form.ts";
import type { PortForward, PortForwarding } from "../../lib/contract/forwards.ts";
import type { Network } from "../../lib/contract/mod.ts";
import {
  FORWARD_WORDS,
  forwardName,
  forwardsHref,
  forwardTarget,
  targetFields,
} from "../../lib/network/forwards/describe.ts";
import { ADD_FORWARD } from "../../lib/network/forwards/fields.const.ts";
import { networkHref } from "../../lib/network/network_href.ts";
import { fieldTexts } from "../../lib/text/field_texts.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { nameUnless } from "../../lib/text/form_names.ts";
import { oneLine } from "../../lib/text/text.ts";
import { forwards as texts } from "../../lib/i18n/en/forwards.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { ContractField, ContractFields } from "../kit/ContractField.tsx";
import { SelectField } from "../kit/Field.tsx";
import { Icon } from "../kit/Icon.tsx";
import type { OnSent } from "./NetworkActions.tsx";
import { Panel } from "../kit/Panel.tsx";
import { AddForm } from "../kit/AddForm.tsx";
import { DataTable } from "../kit/DataTable.tsx";
import { Flash } from "../kit/Flash.tsx";
import { type RowVerb, RowVerbs } from "../kit/RowVerbs.tsx";

const { t } = textsOf(texts), fields = fieldTexts(texts);
/** Fields of a new forward that need not be filled. */
const TYPED = ["targetPort", "address", "hostAddress", "description"] as const;

/** A forward's state as icon, word and colour, with the reason below. */
function State({ forward: { state, reason } }: { forward: PortForward }) {
  const { word, icon, tone } = FORWARD_WORDS[state];
  return (
    <span class="stack">
      <span class="state" data-tone={tone}>
        <Icon name={icon} />
        <span class="state-word">{t(word)}</span>
      </span>
      {reason !== undefined && <span class="forward-reason">{oneLine(reason, 200)}</span>}
    </span>
  );
}

function Target({ forward }: { forward: PortForward }) {
  return (
    <span class="stack">
      {forward.vmId !== undefined && (
        <a href={`/vms/${encodeURIComponent(forward.vmId)}`}>
          <bdi>{oneLine(forward.vmName ?? forward.vmId, 60)}</bdi>
        </a>
      )}
      <span class="text-muted">{forwardTarget(forward)}</span>
    </span>
  );
}

/** State and handlers of the actions on a forward, if it can be changed. */
interface Change {
  readonly enabled: boolean;
  readonly onSent: OnSent;
}

/** Removing a forward is asked for on a page of its own. */
export function removal(forward: PortForward): RowVerb {
  return {
    text: t("forwards.remove"),
    label: t("forwards.remove_of", { what: forwardName(forward) }),
    href: `${forwardsHref(forward.network)}?remove=${encodeURIComponent(forward.id)}`,
    danger: true,
  };
}

function Actions({ forward, enabled, onSent }: Change & { forward: PortForward }) {
  const { id, network } = forward;
  const what = forwardName(forward);
  const label = forward.enabled ? t("forwards.off") : t("forwards.on");
  return (
    <form
      class="action-form"
      method="post"
      action={formHref("enable_port_forward", { id, enabled: !forward.enabled }, networkHref(network))}
      onSubmit={sendsForm(t("forwards.failed"), onSent)}
    >
      <button
        type="submit"
        class="button ghost"
        disabled={!enabled}
        aria-label={t(forward.enabled ? "forwards.off_of" : "forwards.on_of", { what })}
      >
        {label}
      </button>
      <RowVerbs name={what} verbs={[removal(forward)]} enabled={enabled} />
    </form>
  );
}

/** Props of {@link ForwardTable}. */
export interface ForwardTableProps {
  label: string;
  forwards: readonly PortForward[];
  /** Says which network each is of. */
  withNetwork?: boolean;
  /** Without it, the table is only read. */
  change?: Change;
}

/** Port forwards, one a row. */
export function ForwardTable({ label, forwards, withNetwork = false, change }: ForwardTableProps) {
  return (
    <DataTable
      label={label}
      rows={forwards}
      keyOf={({ id }) => id}
      attributesOf={({ id }) => ({ "data-forward": id })}
      empty={t("forwards.none")}
      columns={[
        {
          title: t("forwards.on_host"),
          cell: (forward) => (
            <span class="stack">
              <span>{forwardName(forward)}</span>
              <span class="text-muted">
                {forward.hostAddress === undefined
                  ? t("forwards.any_address")
                  : oneLine(forward.hostAddress, 45)}
              </span>
            </span>
          ),
        },
        { title: t("forwards.leads_to"), cell: (forward) => <Target forward={forward} /> },
        withNetwork && {
          title: t("forwards.network"),
          cell: ({ network }) => (
            <a href={networkHref(network)}>
              <bdi>{oneLine(network, 60)}</bdi>
            </a>
          ),
        },
        { title: t("forwards.state"), cell: (forward) => <State forward={forward} /> },
        {
          title: t("forwards.note"),
          fit: "wrap",
          cell: ({ description }) => description !== undefined && <bdi>{oneLine(description, 200)}</bdi>,
        },
        change !== undefined && {
          title: t("forwards.actions"),
          kind: "actions",
          cell: (forward) => <Actions {...change} forward={forward} />,
        },
      ]}
    />
  );
}

/** A form for another forward of a network. */
function AddForward({ network, enabled, onSent }: Change & { network: Network }) {
  const targets = network.vms.flatMap(({ vmId, name, macs }) =>
    macs.map((mac) => ({
      value: targetFields(vmId, macs.length === 1 ? undefined : mac),
      label: macs.length === 1 ? oneLine(name, 60) : t("forwards.vm_card", { name: oneLine(name, 60), mac }),
    }))
  );
  const form = { of: ADD_FORWARD, texts: fields };
  return (
    <AddForm title={t("forwards.add_form")}>
      <form
        method="post"
        action={formHref("add_port_forward", { network: network.name }, networkHref(network.name))}
        onSubmit={sendsForm(t("forwards.failed"), (form, isDone) => {
          if (isDone) form.reset();
          onSent(form, isDone);
        })}
      >
        <div class="form-grid">
          <ContractField form={form} field="protocol" value="tcp" />
          <ContractField form={form} field="hostPort" />
          <SelectField
            label={t("forwards.vm")}
            hint={t("forwards.vm_hint")}
            name={nameUnless("address")}
            value={targets[0]?.value ?? ""}
            choices={[...targets, { value: "", label: t("forwards.vm_none") }]}
          />
          <ContractFields form={form} fields={TYPED} />
          <ContractField form={form} field="keepAddress" wide={false} />
        </div>
        <div class="form-actions">
          <button type="submit" class="button" disabled={!enabled}>
            {t("forwards.add")}
          </button>
        </div>
      </form>
    </AddForm>
  );
}

/** Props of {@link PortForwards}. */
export interface PortForwardsProps extends Change {
  network: Network;
  forwards: readonly PortForward[];
  forwarding: PortForwarding;
}

/** The port forwards of a network, and a form for another. Nothing where there are and can be none. */
export function PortForwards({ network, forwards, forwarding, enabled, onSent }: PortForwardsProps) {
  const isNat = network.mode === "nat";
  if (!isNat && forwards.length === 0) return null;
  const title = t("forwards.title");
  return (
    <Panel title={title} class="forward-panel">
      {!forwarding.available && (
        <Flash tone="warn">
          {t("forwards.unavailable", { reason: oneLine(forwarding.reason ?? "", 200) })}
        </Flash>
      )}
      <ForwardTable label={title} forwards={forwards} change={{ enabled, onSent }} />
      {isNat && forwarding.available && <AddForward network={network} enabled={enabled} onSent={onSent} />}
    </Panel>
  );
}
