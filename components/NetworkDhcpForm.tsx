import type { ComponentChildren } from "preact";
import type { Network } from "../lib/contract/mod.ts";
import { type NetworkDeed, networkHref } from "../lib/format/networks.ts";
import type { SendForm } from "./NetworkActions.tsx";

/** What every part of a network's page has. */
export interface NetworkPart {
  network: Network;
  enabled: boolean;
  onSend: SendForm;
}

/** A form that does something to a network, with or without a script. */
export function NetworkDeedForm(
  { network, onSend, class: name, children }: NetworkPart & {
    class?: string | undefined;
    children: ComponentChildren;
  },
) {
  return (
    <form
      class={name}
      method="post"
      action={`${networkHref(network.name)}/actions`}
      onSubmit={(event) => {
        event.preventDefault();
        onSend(network.name, event.currentTarget, event.submitter);
      }}
    >
      {children}
    </form>
  );
}

/** One button that does something about one lease or range. */
export function NetworkDeedButton(
  { about, does, label, title, ...part }: NetworkPart & {
    /** What it is about, as the form sends it; what is undefined is left out. */
    about: Readonly<Record<string, string | undefined>>;
    does: NetworkDeed;
    label: string;
    title: string;
  },
) {
  return (
    <NetworkDeedForm {...part}>
      {Object.entries(about).map(([field, value]) =>
        value !== undefined && <input key={field} type="hidden" name={field} value={value} />
      )}
      <button
        type="submit"
        class={does.startsWith("remove_") ? "button ghost danger" : "button ghost"}
        name="action"
        value={does}
        disabled={!part.enabled}
        aria-label={title}
      >
        {label}
      </button>
    </NetworkDeedForm>
  );
}
