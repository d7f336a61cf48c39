import { modeFor } from "../../../lib/vm/cloud_init/form_data.ts";
import { KEPT_SECRET } from "../../../lib/contract/cloud_init_bounds.ts";
import type { CloudInit, CloudInitFiles, CloudInitForm, CloudInitUser } from "../../../lib/contract/mod.ts";
import { cloudInit } from "../../../lib/i18n/en/cloud_init.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { ChoiceField, CloudInitLine, type FormFault, Lines, Tick } from "./CloudInitField.tsx";
import { CloudInitNetwork, type NicChoice } from "./CloudInitNetwork.tsx";
import { CloudInitUsers } from "./CloudInitUsers.tsx";

const { t } = textsOf(cloudInit);

/** Props of {@link CloudInitFormBody}. */
export interface CloudInitFormBodyProps {
  /** Present settings; null for a new VM. */
  value: CloudInit | null;
  /** The documents of what is set: what YAML begins with. */
  files?: CloudInitFiles | undefined;
  nics: readonly NicChoice[];
  fault?: FormFault | undefined;
  /** The user that the form begins with where nothing is set. */
  first?: CloudInitUser | undefined;
  /** Users, by their place, whose password was typed into a form without script that came back. */
  again?: readonly number[] | undefined;
}

const FIRST_YAML = "#cloud-config\n";

/** Packages, and commands that are run at the first start. */
function Software({ form, fault }: { form: Partial<CloudInitForm>; fault: FormFault | undefined }) {
  return (
    <fieldset class="cloud-part">
      <legend>{t("cloud_init.software")}</legend>
      <div class="form-grid">
        <CloudInitLine
          at="form.packages"
          wide
          label={t("cloud_init.packages")}
          hint={t("cloud_init.packages_hint")}
          value={form.packages?.join(" ")}
          fault={fault}
        />
        <Tick
          at="form.packageUpdate"
          label={t("cloud_init.package_update")}
          ticked={form.packageUpdate}
        />
        <Tick
          at="form.packageUpgrade"
          label={t("cloud_init.package_upgrade")}
          ticked={form.packageUpgrade}
        />
        <Lines
          at="form.runCommands"
          wide
          label={t("cloud_init.commands")}
          hint={t("cloud_init.commands_hint")}
          value={form.runCommands}
          fault={fault}
        />
      </div>
    </fieldset>
  );
}

/**
 * The fields of cloud-init, for any `<form>`: `cloudInitOf(new FormData(form))` reads them, on the server as well.
 * The style sheet decides which of its parts are seen, so that it works without script.
 */
export function CloudInitFormBody({ value, files, nics, fault, first, again = [] }: CloudInitFormBodyProps) {
  const form = value?.form ?? {};
  const metaData = Object.entries(value?.metaData ?? {}).map(([key, text]) => `${key}: ${text}`);
  return (
    <div class="cloud-init">
      <ChoiceField
        at="mode"
        legend={t("cloud_init.mode")}
        value={modeFor(value)}
        choices={[
          { value: "form", label: t("cloud_init.mode_form") },
          { value: "yaml", label: t("cloud_init.mode_yaml") },
        ]}
      />
      <div class="cloud-form">
        <CloudInitUsers
          users={value === null && first !== undefined ? [first] : form.users ?? []}
          again={again}
          fault={fault}
        />
        <fieldset class="cloud-part">
          <legend>{t("cloud_init.system")}</legend>
          <div class="form-grid">
            <CloudInitLine
              at="form.hostname"
              label={t("cloud_init.hostname")}
              hint={t("cloud_init.hostname_hint")}
              value={form.hostname}
              fault={fault}
            />
            <CloudInitLine
              at="form.timezone"
              label={t("cloud_init.timezone")}
              value={form.timezone}
              placeholder="Europe/Vienna"
              fault={fault}
            />
            <CloudInitLine
              at="form.locale"
              label={t("cloud_init.locale")}
              value={form.locale}
              placeholder="en_US.UTF-8"
              fault={fault}
            />
            <Tick
              at="form.sshPasswordLogin"
              wide
              label={t("cloud_init.ssh_password")}
              ticked={form.sshPasswordLogin}
            />
          </div>
        </fieldset>
        <Software form={form} fault={fault} />
        <CloudInitNetwork network={value?.network} nics={nics} fault={fault} />
      </div>
      <div class="cloud-yaml form-grid">
        <Lines
          at="userData"
          wide
          rows={18}
          label={t("cloud_init.user_data")}
          hint={t("cloud_init.user_data_hint", { mask: KEPT_SECRET })}
          value={value?.userData ?? files?.userData ?? FIRST_YAML}
          fault={fault}
        />
        <Lines
          at="networkConfig"
          wide
          rows={8}
          label={t("cloud_init.network_config")}
          hint={t("cloud_init.network_config_hint")}
          value={value?.networkConfig ?? files?.networkConfig}
          fault={fault}
        />
      </div>
      <details class="cloud-more" open={metaData.length > 0 || fault?.field.startsWith("metaData")}>
        <summary>{t("cloud_init.more")}</summary>
        <div class="form-grid">
          <Lines
            at="metaData"
            wide
            label={t("cloud_init.meta_data")}
            hint={t("cloud_init.meta_data_hint")}
            value={metaData}
            fault={fault}
          />
        </div>
      </details>
    </div>
  );
}
