import { sendsForm } from "../../lib/client/send_form.ts";
import type { Network } from "../../lib/contract/mod.ts";
import { networkHref } from "../../lib/network/network_href.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { oneLine } from "../../lib/text/text.ts";
import { networks } from "../../lib/i18n/en/networks.ts";
import { t as tAll, textsOf } from "../../lib/i18n/mod.ts";
import { ActionLink } from "../kit/ActionLink.tsx";
import { Icon } from "../kit/Icon.tsx";
import { MoreMenu } from "../kit/MoreMenu.tsx";
import { SteadyButton } from "../kit/SteadyButton.tsx";
import { Switch } from "../kit/Switch.tsx";

const { t } = textsOf(networks);

const VERBS = {
  start: "networks.start",
  stop: "networks.stop",
} as const;

/** Told that a form of a network was carried out, or refused. */
export type OnSent = (form: HTMLFormElement, isDone: boolean) => void;

/** Props of {@link NetworkActions}. */
export interface NetworkActionsProps {
  network: Network;
  enabled: boolean;
  onSent: OnSent;
  /** In a list: without the words that the row says already. */
  small?: boolean;
}

/**
 * Actions for a network: a plain form without script. Those that interrupt VMs or delete the network ask for
 * confirmation on a page of its own.
 */
export function NetworkActions({ network, enabled, onSent, small = false }: NetworkActionsProps) {
  const { name, active, persistent, vms } = network;
  const href = networkHref(name);
  const titled = (verb: string) => t("networks.verb_of", { verb, name: oneLine(name, 60) });
  const uses = vms.some(({ state }) => state !== "stopped");
  // Both have a place of their own, so that a second click on Start does not meet Stop.
  const does = (action: "start" | "stop", look: string, allowed: boolean) => (
    <SteadyButton
      what={`${action} ${allowed}`}
      type="submit"
      class={look}
      role={look === "menu-item" ? "menuitem" : undefined}
      value={action}
      disabled={!enabled || !allowed}
      aria-label={titled(t(VERBS[action]))}
    >
      {look !== "button ghost" && <Icon name={action === "start" ? "play" : "power"} />}
      <span>{t(VERBS[action])}</span>
    </SteadyButton>
  );
  const leads = (
    to: string,
    icon: "power" | "edit" | "trash",
    verb: string,
    look: string,
    danger = false,
  ) => (
    <ActionLink
      class={look}
      {...(look === "menu-item" && { role: "menuitem" })}
      {...(danger && { "data-danger": "" })}
      href={`${href}/${to}`}
      enabled={enabled}
      aria-label={titled(verb)}
    >
      <Icon name={icon} />
      <span>{verb}</span>
    </ActionLink>
  );
  const rest = small ? "menu-item" : "button";
  const others = (
    <>
      {active && uses
        ? leads("confirm?action=stop", "power", t("networks.stop"), rest)
        : does("stop", rest, active)}
      {persistent && leads("edit", "edit", t("networks.edit"), rest)}
    </>
  );
  return (
    <form
      class="action-form"
      method="post"
      action={formHref(active ? "stop_network" : "start_network", { name }, href)}
      onSubmit={sendsForm(t("networks.failed", { name: oneLine(name, 60) }), onSent)}
    >
      {does("start", small ? "button ghost" : "button primary", !active)}
      {!small && others}
      <MoreMenu label={tAll("menu.of", { name: oneLine(name, 60) })} quiet={small}>
        {small && others}
        {leads("confirm?action=delete", "trash", t("networks.delete"), "menu-item", true)}
      </MoreMenu>
    </form>
  );
}

/** Whether a network starts with the host, as a switch: a plain form without script. */
export function NetworkAutostart({ network, enabled, onSent }: Omit<NetworkActionsProps, "small">) {
  const { name, autostart, persistent } = network;
  return (
    <form
      method="post"
      action={formHref("set_network_autostart", { name, autostart: !autostart }, networkHref(name))}
      onSubmit={sendsForm(t("networks.failed", { name: oneLine(name, 60) }), onSent)}
    >
      <Switch
        checked={autostart}
        label={t("networks.autostart")}
        word={t(autostart ? "networks.yes" : "networks.no")}
        disabled={!enabled || !persistent}
      />
    </form>
  );
}
