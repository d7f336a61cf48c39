import { ANTI_SPOOFING } from "../../../lib/contract/choices.ts";
import type { VmNic } from "../../../lib/contract/mod.ts";
import { networkHref } from "../../../lib/network/network_href.ts";
import { nicLimitTexts } from "../../../lib/text/device_limits.ts";
import { formatBytes } from "../../../lib/text/quantity.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { nicTexts } from "../../../lib/text/nic_texts.ts";
import { devices } from "../../../lib/i18n/en/devices.ts";
import { nics } from "../../../lib/i18n/en/nics.ts";
import { type PlainKeyOf, textsOf } from "../../../lib/i18n/mod.ts";
import { Icon } from "../../kit/Icon.tsx";
import { Switch } from "../../kit/Switch.tsx";
import { DeviceMarks } from "./DeviceMarks.tsx";
import { DataTable, stacked } from "../../kit/DataTable.tsx";
import { RowVerbs } from "../../kit/RowVerbs.tsx";

const texts = { ...devices, ...nics }, { t } = textsOf(texts);

/** Actions for a network interface, besides its link. */
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
  /** Address that changes the link of a network interface. */
  linkHref: (nic: VmNic) => string;
  enabled: boolean;
  /** Whether the VM's memory is saved, which needs its cards. */
  suspended: boolean;
  hrefOf: (verb: NicVerb, nic: VmNic) => string;
  onVerb: (verb: NicVerb, nic: VmNic) => void;
  onLink: (form: HTMLFormElement, submitter: HTMLElement | null) => void;
}

/** The cable: in or out. Changes at once, and for the next start. */
function Link(
  { nic, linkHref, enabled, onLink }:
    & { nic: VmNic }
    & Pick<NicListProps, "linkHref" | "enabled" | "onLink">,
) {
  return (
    <form
      class="link-form"
      method="post"
      action={linkHref(nic)}
      onSubmit={(event) => {
        event.preventDefault();
        onLink(event.currentTarget, event.submitter);
      }}
    >
      <input type="hidden" name="linkUp" value={String(!nic.linkUp)} />
      <Switch
        checked={nic.linkUp}
        label={t("devices.link_of", { mac: oneLine(nic.mac, 20) })}
        word={t(nic.linkUp ? "devices.link_up" : "devices.link_down")}
        disabled={!enabled}
      />
    </form>
  );
}

/** Filter of a network interface, with the addresses that it allows. */
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

/** Name of the network or device; a network of libvirt links to its page. */
function NetworkName({ nic: { type, network } }: { nic: VmNic }) {
  if (!network) return <bdi>–</bdi>;
  const name = <bdi>{oneLine(network, 60)}</bdi>;
  return type === "network" ? <a href={networkHref(network)}>{name}</a> : name;
}

/** A VM's network cards, with what can be done to each. */
export function NicList({ nics, linkHref, enabled, suspended, hrefOf, onVerb, onLink }: NicListProps) {
  return (
    <DataTable
      label={t("devices.nics")}
      rows={nics}
      keyOf={({ mac, place }) => `${mac} ${place}`}
      attributesOf={({ mac, place }) => ({ "data-nic": mac, "data-place": place })}
      columns={[
        {
          title: t("devices.mac"),
          cell: (nic) => (
            <>
              <span class="mono">{oneLine(nic.mac, 20)}</span>
              {nic.target && <small class="mono">{oneLine(nic.target, 20)}</small>}
              <DeviceMarks device={nic} texts={nicTexts} />
            </>
          ),
        },
        {
          title: t("devices.network"),
          cell: (nic) => (
            <>
              <NetworkName nic={nic} />
              <small>{oneLine(nic.type, 20)}</small>
              {nic.portGroup && <small>{t("devices.port_group", { name: oneLine(nic.portGroup, 60) })}
              </small>}
              {nic.vlan && <small>{t("devices.vlan", { tags: oneLine(nic.vlan, 60) })}</small>}
              <Filter nic={nic} />
              {nicLimitTexts(nic).map((text) => <small key={text}>{text}</small>)}
            </>
          ),
        },
        { title: t("devices.model"), cell: ({ model }) => oneLine(model ?? "", 20) },
        { title: t("devices.addresses"), kind: "code", cell: ({ ipAddresses }) => stacked(ipAddresses) },
        {
          title: t("devices.traffic"),
          kind: "number",
          cell: ({ rxBytes, txBytes }) => rxBytes !== undefined && txBytes !== undefined &&
            `${formatBytes(rxBytes)} / ${formatBytes(txBytes)}`,
        },
        {
          title: t("devices.link"),
          cell: (nic) => (
            <Link nic={nic} linkHref={linkHref} enabled={enabled && !suspended} onLink={onLink} />
          ),
        },
        {
          title: t("devices.actions"),
          kind: "actions",
          cell: (nic) => (
            <RowVerbs
              name={nicName(nic)}
              enabled={enabled}
              verbs={NIC_VERBS.map((verb) => ({
                text: t(VERB_TEXTS[verb]),
                label: t("devices.verb_of", { verb: t(VERB_TEXTS[verb]), device: nicName(nic) }),
                whyNot: suspended && verb !== "edit" ? t("devices.while_suspended") : undefined,
                href: hrefOf(verb, nic),
                onAct: () => onVerb(verb, nic),
                danger: verb === "detach",
              }))}
            />
          ),
        },
      ]}
    />
  );
}
