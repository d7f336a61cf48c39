import { ANTI_SPOOFING } from "../lib/contract/filters.ts";
import type { VmNic } from "../lib/contract/mod.ts";
import { formatBytes } from "../lib/format/quantity.ts";
import { oneLine } from "../lib/format/text.ts";
import { devices as texts } from "../lib/i18n/en/devices.ts";
import { type PlainKeyOf, textsOf } from "../lib/i18n/mod.ts";
import { ActLink } from "./ActLink.tsx";
import { Icon } from "./Icon.tsx";
import { DeviceMarks } from "./DeviceMarks.tsx";

const { t } = textsOf(texts);

/** What can be done to a network card, beside its cable. */
export const NIC_VERBS = ["edit", "detach"] as const;
export type NicVerb = typeof NIC_VERBS[number];

const VERB_TEXTS: Readonly<Record<NicVerb, PlainKeyOf<typeof texts>>> = {
  edit: "devices.edit",
  detach: "devices.detach",
};

/** A card as a sentence calls it. */
export function nicName({ mac }: Pick<VmNic, "mac">): string {
  return t("devices.nic_named", { mac: oneLine(mac, 20) });
}

/** Props of {@link NicList}. */
export interface NicListProps {
  nics: readonly VmNic[];
  /** Where the link's form posts to. */
  action: string;
  enabled: boolean;
  hrefOf: (verb: NicVerb, nic: VmNic) => string;
  onVerb: (verb: NicVerb, nic: VmNic) => void;
  onLink: (nic: VmNic, form: FormData) => void;
}

/** The cable: in or out. Changes at once, and for the next start. */
function Link(
  { nic, action, enabled, onLink }: { nic: VmNic } & Pick<NicListProps, "action" | "enabled" | "onLink">,
) {
  return (
    <form
      class="link-form"
      method="post"
      action={action}
      onSubmit={(event) => {
        event.preventDefault();
        onLink(nic, new FormData(event.currentTarget));
      }}
    >
      <input type="hidden" name="device" value={nic.mac} />
      <input type="hidden" name="linkUp" value={String(!nic.linkUp)} />
      <button
        type="submit"
        class="switch"
        role="switch"
        aria-checked={nic.linkUp}
        aria-label={t("devices.link_of", { mac: oneLine(nic.mac, 20) })}
        name="action"
        value="update_nic"
        disabled={!enabled}
      >
        <span class="switch-knob" aria-hidden="true" />
      </button>
      <span class="switch-word">{t(nic.linkUp ? "devices.link_up" : "devices.link_down")}</span>
    </form>
  );
}

/** What keeps the guest to its own addresses, or another filter. */
function Filter({ nic: { filter, filterAddresses } }: { nic: VmNic }) {
  if (filter === undefined) return null;
  const addresses = oneLine(filterAddresses.join(" "), 60);
  if (filter !== ANTI_SPOOFING) {
    return (
      <small>
        {t("devices.filter")}: {oneLine(filter, 60)} {addresses}
      </small>
    );
  }
  return (
    <span class="device-mark" title={t("devices.anti_spoofing_hint")}>
      <Icon name="shield" />
      {t("devices.anti_spoofing")} {addresses}
    </span>
  );
}

/** A machine's network cards, with what can be done to each. */
export function NicList({ nics, action, enabled, hrefOf, onVerb, onLink }: NicListProps) {
  return (
    <div class="scroll-x" tabIndex={0} role="group" aria-label={t("devices.nics")}>
      <table class="plain-table device-table">
        <thead>
          <tr>
            <th scope="col">{t("devices.mac")}</th>
            <th scope="col">{t("devices.network")}</th>
            <th scope="col">{t("devices.model")}</th>
            <th scope="col">{t("devices.addresses")}</th>
            <th scope="col">{t("devices.traffic")}</th>
            <th scope="col">{t("devices.link")}</th>
            <th scope="col">
              <span class="visually-hidden">{t("devices.actions")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {nics.map((nic) => (
            <tr key={`${nic.mac} ${nic.place}`} data-nic={nic.mac} data-place={nic.place}>
              <th scope="row">
                <span class="mono">{oneLine(nic.mac, 20)}</span>
                {nic.target && <small class="mono">{oneLine(nic.target, 20)}</small>}
                <DeviceMarks device={nic} />
              </th>
              <td>
                <bdi>{nic.network ? oneLine(nic.network, 60) : "–"}</bdi>
                <small>{oneLine(nic.type, 20)}</small>
                <Filter nic={nic} />
              </td>
              <td>{nic.model ? oneLine(nic.model, 20) : "–"}</td>
              <td class={nic.ipAddresses.length === 0 ? "empty-cell" : "mono lines"}>
                {nic.ipAddresses.length === 0
                  ? <span class="none">–</span>
                  : nic.ipAddresses.map((one) => <span key={one}>{one}</span>)}
              </td>
              <td class={nic.rxBytes === undefined ? "empty-cell" : undefined}>
                {nic.rxBytes === undefined || nic.txBytes === undefined
                  ? <span class="none">–</span>
                  : `${formatBytes(nic.rxBytes)} / ${formatBytes(nic.txBytes)}`}
              </td>
              <td>
                <Link nic={nic} action={action} enabled={enabled} onLink={onLink} />
              </td>
              <td class="device-verbs">
                <span>
                  {NIC_VERBS.map((verb) => (
                    <ActLink
                      key={verb}
                      class={verb === "detach" ? "button ghost danger" : "button ghost"}
                      href={hrefOf(verb, nic)}
                      enabled={enabled}
                      aria-label={t("devices.verb_of", { verb: t(VERB_TEXTS[verb]), device: nicName(nic) })}
                      onAct={() => onVerb(verb, nic)}
                    >
                      {t(VERB_TEXTS[verb])}
                    </ActLink>
                  ))}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
