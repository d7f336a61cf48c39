import type { ComponentChildren } from "preact";
import { sendsForm } from "../../lib/client/send_form.ts";
import type { Network } from "../../lib/contract/mod.ts";
import { networkHref } from "../../lib/network/network_href.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { oneLine } from "../../lib/text/text.ts";
import { networks } from "../../lib/i18n/en/networks.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import type { OnSent } from "./NetworkActions.tsx";

const { t } = textsOf(networks);

/** Props shared by the parts of a network's page. */
export interface NetworkPart {
  network: Network;
  enabled: boolean;
  onSent: OnSent;
}

/** A form that changes what a network gives away, with or without a script. */
export function NetworkDhcpForm(
  { network: { name }, onSent, class: look, children }: NetworkPart & {
    class?: string | undefined;
    children: ComponentChildren;
  },
) {
  return (
    <form
      class={look}
      method="post"
      action={formHref("update_network_dhcp", { name }, networkHref(name))}
      onSubmit={sendsForm(t("networks.failed", { name: oneLine(name, 60) }), onSent)}
    >
      {children}
    </form>
  );
}

/** One button that does something about one lease or range. */
export function NetworkDhcpButton(
  { list, about, label, title, ...part }: NetworkPart & {
    list: "add" | "remove" | "removeRanges";
    /** Fields of its lease or range; undefined ones are left out. */
    about: Readonly<Record<string, string | undefined>>;
    label: string;
    title: string;
  },
) {
  return (
    <NetworkDhcpForm {...part}>
      {Object.entries(about).map(([field, value]) =>
        value !== undefined && <input key={field} type="hidden" name={`${list}.0.${field}`} value={value} />
      )}
      <button
        type="submit"
        class={list === "add" ? "button ghost" : "button ghost danger"}
        disabled={!part.enabled}
        aria-label={title}
      >
        {label}
      </button>
    </NetworkDhcpForm>
  );
}
