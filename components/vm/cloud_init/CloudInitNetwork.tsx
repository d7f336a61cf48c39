import { PREFIX } from "../../../lib/vm/cloud_init/form_data.ts";
import type { CloudInitNic } from "../../../lib/contract/mod.ts";
import { cloudInit } from "../../../lib/i18n/en/cloud_init.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { ChoiceField, CloudInitLine, type FormFault, Tick } from "./CloudInitField.tsx";

const { t } = textsOf(cloudInit);

/** An interface a network can be described for. */
export interface NicChoice {
  /** Undefined while the VM is not made. */
  readonly mac?: string;
  readonly network: string;
}

function Nic({ at, nic, choice, fault }: {
  at: string;
  nic: CloudInitNic | undefined;
  choice: NicChoice;
  fault: FormFault | undefined;
}) {
  const field = (name: keyof CloudInitNic) => ({ at: `${at}.${name}`, fault });
  return (
    <div class="form-grid">
      {choice.mac !== undefined && <input type="hidden" name={`${PREFIX}${at}.mac`} value={choice.mac} />}
      <Tick
        {...field("dhcp4")}
        label={t("cloud_init.dhcp4")}
        ticked={nic?.dhcp4 ?? !nic?.addresses?.length}
      />
      <Tick {...field("dhcp6")} label={t("cloud_init.dhcp6")} ticked={nic?.dhcp6} />
      <CloudInitLine
        {...field("addresses")}
        wide
        label={t("cloud_init.addresses")}
        hint={t("cloud_init.addresses_hint")}
        value={nic?.addresses?.join(" ")}
      />
      <CloudInitLine {...field("gateway4")} label={t("cloud_init.gateway4")} value={nic?.gateway4} />
      <CloudInitLine {...field("gateway6")} label={t("cloud_init.gateway6")} value={nic?.gateway6} />
      <CloudInitLine
        {...field("nameservers")}
        label={t("cloud_init.nameservers")}
        value={nic?.nameservers?.join(" ")}
      />
      <CloudInitLine
        {...field("searchDomains")}
        label={t("cloud_init.search")}
        value={nic?.searchDomains?.join(" ")}
      />
    </div>
  );
}

/** The network of the form: as the image does, or described for each interface of the VM. */
export function CloudInitNetwork({ network, nics, fault }: {
  network: readonly CloudInitNic[] | undefined;
  nics: readonly NicChoice[];
  fault: FormFault | undefined;
}) {
  const describing = (choice: NicChoice, index: number) =>
    network?.find(({ mac }) => mac !== undefined && mac.toLowerCase() === choice.mac?.toLowerCase()) ??
      (network?.[index]?.mac === undefined ? network?.[index] : undefined);
  return (
    <fieldset class="cloud-part">
      <legend>{t("cloud_init.network")}</legend>
      {nics.length === 0 ? <p class="text-muted pad">{t("cloud_init.no_nics")}</p> : (
        <>
          <ChoiceField
            at="networkMode"
            legend={t("cloud_init.network")}
            value={network === undefined ? "default" : "described"}
            choices={[
              { value: "default", label: t("cloud_init.network_default") },
              { value: "described", label: t("cloud_init.network_described") },
            ]}
          />
          <div class="cloud-nics">
            {nics.map((choice, index) => (
              <fieldset key={choice.mac ?? index} class="cloud-nic">
                <legend>
                  {t("cloud_init.nic", { n: index + 1 })}{" "}
                  <bdi class="text-muted">
                    {[choice.network, choice.mac].filter((part) => part).join(" · ")}
                  </bdi>
                </legend>
                <Nic at={`network.${index}`} nic={describing(choice, index)} choice={choice} fault={fault} />
              </fieldset>
            ))}
          </div>
        </>
      )}
    </fieldset>
  );
}
