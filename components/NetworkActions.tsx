import type { Network } from "../lib/contract/mod.ts";
import { networkHref } from "../lib/format/networks.ts";
import { oneLine } from "../lib/format/text.ts";
import { networks } from "../lib/i18n/en/networks.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { ActLink } from "./ActLink.tsx";
import { Icon } from "./Icon.tsx";

const { t } = textsOf(networks);

const VERBS = {
  start: t("networks.start"),
  stop: t("networks.stop"),
  delete: t("networks.delete"),
} as const;

/** Sends a form of a network; resolves when it was carried out or refused. */
export type SendForm = (name: string, form: HTMLFormElement, submitter: HTMLElement | null) => void;

/** Props of {@link NetworkActions}. */
export interface NetworkActionsProps {
  network: Network;
  enabled: boolean;
  onSend: SendForm;
  /** In a list: without the words that the row says already. */
  small?: boolean;
}

/**
 * What can be done to a network: a plain form without script. What takes something away from somebody is asked for on
 * a page of its own.
 */
export function NetworkActions({ network, enabled, onSend, small = false }: NetworkActionsProps) {
  const { name, active, autostart, persistent, vms } = network;
  const href = networkHref(name);
  const look = small ? "button ghost" : "button";
  const titled = (verb: string) => t("networks.verb_of", { verb, name: oneLine(name, 60) });
  const uses = vms.some(({ state }) => state !== "stopped");
  const asks = (action: "stop" | "delete") => (
    <ActLink
      class={action === "delete" ? `${look} danger` : look}
      href={`${href}/confirm?action=${action}`}
      enabled={enabled}
      aria-label={titled(VERBS[action])}
    >
      {!small && <Icon name={action === "delete" ? "trash" : "power"} />}
      <span>{VERBS[action]}</span>
    </ActLink>
  );
  const does = (action: "start" | "stop") => (
    <button
      type="submit"
      class={action === "start" && !small ? "button primary" : look}
      name="action"
      value={action}
      disabled={!enabled}
      aria-label={titled(VERBS[action])}
    >
      {!small && <Icon name={action === "start" ? "play" : "power"} />}
      <span>{VERBS[action]}</span>
    </button>
  );
  return (
    <form
      class="network-actions"
      method="post"
      action={`${href}/actions`}
      onSubmit={(event) => {
        event.preventDefault();
        onSend(name, event.currentTarget, event.submitter);
      }}
    >
      {!active ? does("start") : uses ? asks("stop") : does("stop")}
      {!small && persistent && (
        <>
          <ActLink class="button" href={`${href}/edit`} enabled={enabled}>
            <Icon name="edit" />
            <span>{t("networks.edit")}</span>
          </ActLink>
          <input type="hidden" name="autostart" value={String(!autostart)} />
          <button type="submit" class="button" name="action" value="autostart" disabled={!enabled}>
            <Icon name="reboot" />
            <span>{t(autostart ? "networks.autostart_off" : "networks.autostart_on")}</span>
          </button>
        </>
      )}
      {asks("delete")}
    </form>
  );
}
