import type { PortForward, PortForwarding } from "../lib/contract/forwards.ts";
import type { Network } from "../lib/contract/mod.ts";
import {
  FORWARD_WORDS,
  forwardName,
  forwardsHref,
  forwardTarget,
  targetValue,
} from "../lib/format/forwards.ts";
import { networkHref } from "../lib/format/networks.ts";
import { oneLine } from "../lib/format/text.ts";
import { forwards as texts } from "../lib/i18n/en/forwards.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { ActLink } from "./ActLink.tsx";
import { CheckField, SelectField, TextField } from "./Field.tsx";
import { Icon } from "./Icon.tsx";
import type { SendForm } from "./NetworkActions.tsx";
import { Panel } from "./Panel.tsx";

const { t } = textsOf(texts);

/** A forward's state as icon, word and colour, with the reason below. */
function State({ forward: { state, reason } }: { forward: PortForward }) {
  const { word, icon, tone } = FORWARD_WORDS[state];
  return (
    <>
      <div>
        <span class="state" data-tone={tone}>
          <Icon name={icon} />
          <span class="state-word">{t(word)}</span>
        </span>
      </div>
      {reason !== undefined && <span class="forward-reason">{oneLine(reason, 200)}</span>}
    </>
  );
}

/** What can be done to a forward, where it can be changed. */
interface Change {
  readonly enabled: boolean;
  readonly onSend: SendForm;
}

function Actions({ forward, enabled, onSend }: Change & { forward: PortForward }) {
  const { id, network } = forward;
  const what = forwardName(forward);
  const label = forward.enabled ? t("forwards.off") : t("forwards.on");
  return (
    <form
      class="network-actions"
      method="post"
      action={forwardsHref(network)}
      onSubmit={(event) => {
        event.preventDefault();
        onSend(network, event.currentTarget, event.submitter);
      }}
    >
      <input type="hidden" name="id" value={id} />
      <button
        type="submit"
        class="button ghost"
        name="action"
        value={forward.enabled ? "disable" : "enable"}
        disabled={!enabled}
        aria-label={t(forward.enabled ? "forwards.off_of" : "forwards.on_of", { what })}
      >
        {label}
      </button>
      <ActLink
        class="button ghost danger"
        href={`${forwardsHref(network)}?remove=${encodeURIComponent(id)}`}
        enabled={enabled}
        aria-label={t("forwards.remove_of", { what })}
      >
        {t("forwards.remove")}
      </ActLink>
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
    <div class="scroll-x" tabIndex={0} role="group" aria-label={label}>
      <table class="plain-table">
        <thead>
          <tr>
            <th scope="col">{t("forwards.on_host")}</th>
            <th scope="col">{t("forwards.leads_to")}</th>
            {withNetwork && <th scope="col">{t("forwards.network")}</th>}
            <th scope="col">{t("forwards.state")}</th>
            <th scope="col">{t("forwards.note")}</th>
            {change && (
              <th scope="col">
                <span class="visually-hidden">{t("forwards.actions")}</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {forwards.map((forward) => (
            <tr key={forward.id} data-forward={forward.id}>
              <th scope="row" class="lines">
                <span>{forwardName(forward)}</span>
                <span class="muted">
                  {forward.hostAddress === undefined
                    ? t("forwards.any_address")
                    : oneLine(forward.hostAddress, 45)}
                </span>
              </th>
              <td class="lines">
                {forward.vmId !== undefined && (
                  <span>
                    <a href={`/vms/${encodeURIComponent(forward.vmId)}`}>
                      <bdi>{oneLine(forward.vmName ?? forward.vmId, 60)}</bdi>
                    </a>
                  </span>
                )}
                <span class="muted">{forwardTarget(forward)}</span>
              </td>
              {withNetwork && (
                <td>
                  <a href={networkHref(forward.network)}>
                    <bdi>{oneLine(forward.network, 60)}</bdi>
                  </a>
                </td>
              )}
              <td class="lines">
                <State forward={forward} />
              </td>
              <td class="forward-note">
                <bdi>{forward.description === undefined ? "–" : oneLine(forward.description, 200)}</bdi>
              </td>
              {change && (
                <td>
                  <Actions {...change} forward={forward} />
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A form for another forward of a network. */
function AddForward({ network, enabled, onSend }: Change & { network: Network }) {
  const targets = network.vms.flatMap(({ vmId, name, macs }) =>
    macs.map((mac) => ({
      value: macs.length === 1 ? vmId : targetValue(vmId, mac),
      label: macs.length === 1
        ? oneLine(name, 60)
        : t("forwards.machine_card", { name: oneLine(name, 60), mac }),
    }))
  );
  return (
    <form
      class="static-form"
      method="post"
      action={forwardsHref(network.name)}
      onSubmit={(event) => {
        event.preventDefault();
        onSend(network.name, event.currentTarget, event.submitter);
      }}
    >
      <div class="form-grid">
        <SelectField
          label={t("forwards.protocol")}
          name="protocol"
          value="tcp"
          choices={[{ value: "tcp", label: "TCP" }, { value: "udp", label: "UDP" }]}
        />
        <TextField
          label={t("forwards.host_ports")}
          hint={t("forwards.host_ports_hint")}
          name="hostPorts"
          required
          maxLength={15}
          inputMode="numeric"
        />
        <SelectField
          label={t("forwards.machine")}
          hint={t("forwards.machine_hint")}
          name="target"
          value={targets[0]?.value ?? ""}
          choices={[...targets, { value: "", label: t("forwards.machine_none") }]}
        />
        <TextField
          label={t("forwards.target_port")}
          hint={t("forwards.target_port_hint")}
          name="targetPort"
          maxLength={5}
          inputMode="numeric"
        />
        <TextField
          label={t("forwards.address")}
          hint={t("forwards.address_hint")}
          name="address"
          maxLength={45}
        />
        <TextField
          label={t("forwards.host_address")}
          hint={t("forwards.host_address_hint")}
          name="hostAddress"
          maxLength={45}
        />
        <TextField label={t("forwards.note")} name="description" maxLength={200} />
        <CheckField label={t("forwards.keep")} name="keepAddress" />
      </div>
      <div class="form-actions">
        <button type="submit" class="button" name="action" value="add" disabled={!enabled}>
          {t("forwards.add")}
        </button>
      </div>
    </form>
  );
}

/** Props of {@link PortForwards}. */
export interface PortForwardsProps extends Change {
  network: Network;
  forwards: readonly PortForward[];
  forwarding: PortForwarding;
}

/** The port forwards of a network, and a form for another. Nothing where there are and can be none. */
export function PortForwards({ network, forwards, forwarding, enabled, onSend }: PortForwardsProps) {
  const isNat = network.mode === "nat";
  if (!isNat && forwards.length === 0) return null;
  const title = t("forwards.title");
  return (
    <Panel title={title} class="forward-panel">
      {!forwarding.available && (
        <p class="banner inset" data-tone="warn">
          <Icon name="circleAlert" />
          <span>{t("forwards.unavailable", { reason: oneLine(forwarding.reason ?? "", 200) })}</span>
        </p>
      )}
      {forwards.length === 0
        ? <p class="calm">{t("forwards.none")}</p>
        : <ForwardTable label={title} forwards={forwards} change={{ enabled, onSend }} />}
      {isNat && forwarding.available && <AddForward network={network} enabled={enabled} onSend={onSend} />}
    </Panel>
  );
}
